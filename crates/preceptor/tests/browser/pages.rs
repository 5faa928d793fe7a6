//! Every kind of page that can be reached, looked at by axe-core.

use std::collections::{BTreeSet, VecDeque};

use serde_json::Value;

use crate::chrome::Browser;

/// WCAG 2.2 at level AA, as axe-core names its rules.
const RUN: &str = "
    const done = arguments[arguments.length - 1];
    axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'] })
        .then((found) => done(found.violations.map((one) => `${one.id}: ${one.help} (${one.nodes.map((node) => node.target.join(' ')).slice(0, 3).join(', ')})`)),
              (error) => done([`axe did not run: ${error}`]));";

const LINKS: &str =
    "return [...document.querySelectorAll('a[href]')].filter((link) => link.origin === location.origin && !link.hasAttribute('download'))
    .map((link) => link.pathname + link.search)";

/// The path with ids left out: pages of one kind share it.
fn kind(path: &str) -> String {
    let path = path.split(['?', '#']).next().unwrap_or_default();
    let is_id = |part: &&str| {
        part.len() > 12 && part.chars().any(|letter| letter.is_ascii_digit())
            || (part.len() > 3 && part.chars().all(|letter| letter.is_ascii_uppercase() || letter == '_'))
    };
    path.split('/').map(|part| if is_id(&part) { "{id}" } else { part }).collect::<Vec<_>>().join("/")
}

/// Not pages: the API, files and downloads.
fn is_page(path: &str) -> bool {
    !["/v1/", "/static/", "/openapi", "/healthz", "/readyz", "/.well-known/", "/activities/"]
        .iter()
        .any(|begin| path.starts_with(begin))
        && !path
            .rsplit('/')
            .next()
            .is_some_and(|last| last.split('?').next().is_some_and(|last| last.contains('.')))
}

/// What bars someone from the page that is open.
async fn barriers(browser: &Browser, axe: &str, who: &str, path: &str) -> Vec<String> {
    browser.run(axe).await;
    let found = browser.run_async(RUN).await;
    let list = found.as_array().cloned().unwrap_or_default();
    list.iter().map(|one| format!("{who} at {path}: {}", super::text(one))).collect()
}

/// Opens some pages.
pub(crate) async fn visit(
    browser: &Browser,
    url: &str,
    paths: &[&str],
    axe: &str,
    kinds: &mut BTreeSet<String>,
) -> Vec<String> {
    let mut found = Vec::new();
    for path in paths {
        browser.open(&format!("{url}{path}")).await;
        kinds.insert(format!("nobody {}", kind(path)));
        found.extend(barriers(browser, axe, "nobody", path).await);
    }
    found
}

/// Follows links from where the browser is, one page of each kind.
pub(crate) async fn crawl(
    browser: &Browser,
    url: &str,
    who: &str,
    axe: &str,
    most: usize,
    kinds: &mut BTreeSet<String>,
) -> Vec<String> {
    let (mut found, mut known) = (Vec::new(), BTreeSet::new());
    let mut waiting = VecDeque::from([browser.path().await]);
    while let Some(path) = waiting.pop_front() {
        if known.len() == most || !is_page(&path) || !known.insert(kind(&path)) {
            continue;
        }
        browser.open(&format!("{url}{path}")).await;
        found.extend(barriers(browser, axe, who, &path).await);
        let links = browser.run(LINKS).await;
        waiting.extend(links.as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned));
    }
    kinds.extend(known);
    found
}
