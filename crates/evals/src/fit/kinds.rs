//! The classifier of kinds: multinomial logistic regression on our own wordings.

use std::collections::BTreeMap;

use preceptor_models::kinds::{Kinds, WORDINGS, dot, unit};
use preceptor_models::text::{Analyzer, Subject, subject_spans, without};
use preceptor_models::{Embedder, Text};
use serde::Deserialize;

use crate::optimize::minimize;

/// Minimizes ½|W|² + STRENGTH·Σ log loss.
const STRENGTH: f64 = 10.0;

#[derive(Deserialize)]
struct Fillers {
    neutral_c: Vec<String>,
    neutral_d: Vec<String>,
    c: Vec<String>,
    d: Vec<String>,
}

#[derive(Deserialize)]
struct Kind {
    questions: Vec<String>,
    headings: Vec<String>,
    #[serde(default)]
    objectives: Vec<String>,
}

/// One wording with its slot filled.
struct Instance {
    kind: usize,
    text: String,
    /// What filled the slot: the subject, to be masked.
    filler: String,
    /// A question whose slot is filled with a word for the subject that does not name it.
    neutral_question: bool,
}

pub(super) async fn fit(embedder: &dyn Embedder) -> anyhow::Result<Kinds> {
    let (names, instances) = instances()?;
    let analyzer = Analyzer::default();
    let texts = instances.iter().map(|instance| masked(&analyzer, instance)).collect();
    let embedded = embedder.embed(texts).await?;
    let vectors: Vec<Vec<f32>> = embedded
        .into_iter()
        .map(|embedding| match embedding.views.first() {
            Some(view) if view.iter().any(|&value| value != 0.0) => view.clone(),
            _ => embedding.whole,
        })
        .collect();
    let width = embedder.dimensions();
    let stride = width + 1;
    let point = minimize(vec![0.0; names.len() * stride], |point| {
        loss(point, &instances, &vectors, names.len(), width)
    });
    let row = |kind: usize| {
        point[kind * stride..(kind + 1) * stride].iter().map(|&value| value as f32).collect::<Vec<_>>()
    };
    let centroid = |kind: usize| {
        let mut sum = vec![0.0_f32; width];
        for (instance, vector) in instances.iter().zip(&vectors) {
            if instance.kind == kind && instance.neutral_question {
                sum.iter_mut().zip(vector).for_each(|(sum, value)| *sum += value);
            }
        }
        unit(sum)
    };
    let kinds = Kinds {
        weights: (0..names.len()).map(|kind| row(kind)[..width].to_vec()).collect(),
        bias: (0..names.len()).map(|kind| row(kind)[width]).collect(),
        centroids: (0..names.len()).map(centroid).collect(),
        names,
    };
    let right = instances.iter().zip(&vectors).filter(|(instance, vector)| {
        let scores = kinds.weights.iter().zip(&kinds.bias).map(|(row, bias)| dot(row, vector) + bias);
        scores.enumerate().max_by(|a, b| a.1.total_cmp(&b.1)).is_some_and(|(kind, _)| kind == instance.kind)
    });
    println!(
        "kinds: {} of {} wordings are classified as what they were written for",
        right.count(),
        instances.len()
    );
    Ok(kinds)
}

fn instances() -> anyhow::Result<(Vec<String>, Vec<Instance>)> {
    let mut wordings: serde_json::Map<String, serde_json::Value> = serde_json::from_str(WORDINGS)?;
    let fillers: Fillers = serde_json::from_value(wordings.remove("_fillers").unwrap_or_default())?;
    let known = Kinds::fitted()?.names;
    let mut kinds: BTreeMap<String, Kind> = BTreeMap::new();
    for (name, value) in wordings {
        kinds.insert(name, serde_json::from_value(value)?);
    }
    let mut names = known;
    names.retain(|name| kinds.contains_key(name));
    names.extend(kinds.keys().filter(|name| !names.contains(name)).cloned().collect::<Vec<_>>());
    let mut instances = Vec::new();
    for (at, name) in names.iter().enumerate() {
        let kind = &kinds[name];
        for (is_question, list) in
            [(true, &kind.questions), (false, &kind.headings), (false, &kind.objectives)]
        {
            for (index, template) in list.iter().enumerate() {
                fill(at, is_question, index, template, &fillers, &mut instances);
            }
        }
    }
    Ok((names, instances))
}

/// A template with a slot stands for four texts: two that point at the subject, two that name one.
fn fill(
    kind: usize,
    is_question: bool,
    index: usize,
    template: &str,
    fillers: &Fillers,
    instances: &mut Vec<Instance>,
) {
    let (slot, neutral, concrete) = match (template.contains("{c}"), template.contains("{d}")) {
        (true, _) => ("{c}", &fillers.neutral_c, &fillers.c),
        (_, true) => ("{d}", &fillers.neutral_d, &fillers.d),
        _ => {
            instances.push(Instance {
                kind,
                text: capitalized(template),
                filler: String::new(),
                neutral_question: is_question,
            });
            return;
        }
    };
    let (n, m) = (neutral.len(), concrete.len());
    let chosen = [
        (&neutral[0], true),
        (&neutral[1 + index % (n - 1)], true),
        (&concrete[(7 * index + 3) % m], false),
        (&concrete[(7 * index + 3 + m / 2) % m], false),
    ];
    for (filler, is_neutral) in chosen {
        instances.push(Instance {
            kind,
            text: capitalized(&template.replace(slot, filler)),
            filler: filler.clone(),
            neutral_question: is_question && is_neutral,
        });
    }
}

fn capitalized(text: &str) -> String {
    let mut letters = text.chars();
    letters
        .next()
        .map(|first| first.to_uppercase().collect::<String>() + letters.as_str())
        .unwrap_or_default()
}

fn masked(analyzer: &Analyzer, instance: &Instance) -> Text {
    let subject: Subject = analyzer.terms(&instance.filler).into_iter().collect();
    let spans = subject_spans(analyzer, &instance.text, &subject);
    Text { text: instance.text.clone(), views: vec![without(&instance.text, &spans)] }
}

fn loss(
    point: &[f64],
    instances: &[Instance],
    vectors: &[Vec<f32>],
    kinds: usize,
    width: usize,
) -> (f64, Vec<f64>) {
    let stride = width + 1;
    let mut gradient = point.to_vec();
    let mut value = 0.0;
    for kind in 0..kinds {
        let row = &point[kind * stride..kind * stride + width];
        value += 0.5 * row.iter().map(|w| w * w).sum::<f64>();
        gradient[kind * stride + width] = 0.0;
    }
    let mut scores = vec![0.0; kinds];
    for (instance, vector) in instances.iter().zip(vectors) {
        for (kind, score) in scores.iter_mut().enumerate() {
            let row = &point[kind * stride..(kind + 1) * stride];
            *score =
                row[..width].iter().zip(vector).map(|(w, x)| w * f64::from(*x)).sum::<f64>() + row[width];
        }
        let most = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let sum: f64 = scores.iter().map(|score| (score - most).exp()).sum();
        value += STRENGTH * (most + sum.ln() - scores[instance.kind]);
        for (kind, score) in scores.iter().enumerate() {
            let slope = STRENGTH * ((score - most).exp() / sum - f64::from(u8::from(kind == instance.kind)));
            let row = &mut gradient[kind * stride..(kind + 1) * stride];
            row[..width].iter_mut().zip(vector).for_each(|(g, x)| *g += slope * f64::from(*x));
            row[width] += slope;
        }
    }
    (value, gradient)
}
