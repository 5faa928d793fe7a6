//! What analytics counts, and what of its calls goes to the record.

use std::sync::Arc;

use async_trait::async_trait;
use preceptor_bus::{Consumer, Handler, HandlerError, Topic, consume, org_of, relay, told};
use preceptor_core::{Scope, SystemActor};
use preceptor_proto::events::v1::{Envelope, MessageClassified, MessageRecorded};
use preceptor_rpc::Task;
use preceptor_runtime::OnEnd;
use preceptor_store::Handle;

use crate::store::{Measure, NO_OBJECTIVE, add, see_learner};
use crate::{Deps, Error};

pub(crate) fn tasks(deps: &Deps) -> Vec<Task> {
    let handler: Arc<dyn Handler> = Arc::new(Counter { store: deps.store.clone() });
    let consumer = Consumer { group: "analytics", topics: &[Topic::Message, Topic::Alignment], handler };
    let (bus, relay_bus, outbox) =
        (Arc::clone(&deps.bus), Arc::clone(&deps.bus), Arc::new(deps.store.clone()));
    vec![
        Task::new("counter", OnEnd::Restart, move |stop| {
            consume::run(consumer.clone(), Arc::clone(&bus), stop)
        }),
        Task::new("relay", OnEnd::Restart, move |stop| {
            relay::run(outbox.clone(), Arc::clone(&relay_bus), stop)
        }),
    ]
}

struct Counter {
    store: Handle,
}

#[async_trait]
impl Handler for Counter {
    async fn handle(&self, event: &Envelope) -> Result<(), HandlerError> {
        let scope = Arc::new(Scope::of_system(SystemActor::Analytics, org_of(event)?));
        let counted = match event.r#type.as_str() {
            "message.recorded" => self.count_message(&scope, &event.id, &told(event)?).await,
            "alignment.message_classified" => self.count_objective(&scope, &event.id, &told(event)?).await,
            _ => Ok(()),
        };
        counted.map_err(|error| {
            HandlerError::of(&error, matches!(&error, Error::Store(cause) if cause.is_transient()))
        })
    }
}

impl Counter {
    async fn count_message(
        &self,
        scope: &Arc<Scope>,
        event: &str,
        recorded: &MessageRecorded,
    ) -> Result<(), Error> {
        let tx = self.store.write(scope).await?;
        if !tx.first_sight(event).await? {
            return Ok(());
        }
        let program = &recorded.program_id;
        if recorded.answered {
            add(&tx, program, Measure::Outcome, "answered").await?;
        } else if recorded.closest {
            add(&tx, program, Measure::Outcome, "closest").await?;
        } else {
            add(&tx, program, Measure::Outcome, "refused").await?;
            add(&tx, program, Measure::Refusal, &recorded.refusal_code).await?;
        }
        for source in &recorded.cited_source_ids {
            add(&tx, program, Measure::Citation, source).await?;
        }
        see_learner(&tx, program, &recorded.subject).await?;
        Ok(tx.commit().await?)
    }

    async fn count_objective(
        &self,
        scope: &Arc<Scope>,
        event: &str,
        classified: &MessageClassified,
    ) -> Result<(), Error> {
        let tx = self.store.write(scope).await?;
        if !tx.first_sight(event).await? {
            return Ok(());
        }
        let objective =
            if classified.objective_id.is_empty() { NO_OBJECTIVE } else { &classified.objective_id };
        add(&tx, &classified.program_id, Measure::Objective, objective).await?;
        Ok(tx.commit().await?)
    }
}

#[cfg(test)]
mod tests {
    use preceptor_core::id::{EventId, OrgId, ProgramId};
    use preceptor_core::{SystemClock, Timestamp};
    use preceptor_store::{Cells, Config};
    use tempfile::TempDir;

    use super::*;
    use crate::store::{self, SCHEMA};

    struct Counted {
        counter: Counter,
        org: OrgId,
        program: String,
        _folder: TempDir,
    }

    impl Counted {
        async fn new() -> Self {
            let folder = tempfile::tempdir().expect("a folder");
            let seals = preceptor_store::OutboxSeals::new(&[7; 32]);
            let files = Config::Files(folder.path().join("cells"));
            let cells = Cells::open(&files, &[SCHEMA], Arc::new(SystemClock), seals).await.expect("cells");
            let store = cells.handle("analytics").await.expect("a handle");
            Self {
                counter: Counter { store },
                org: OrgId::generate(),
                program: ProgramId::generate().to_string(),
                _folder: folder,
            }
        }

        fn event(&self, kind: &str, payload: &impl prost::Message) -> Envelope {
            Envelope {
                id: EventId::generate().to_string(),
                org_id: self.org.to_string(),
                r#type: kind.to_owned(),
                occurred_at: Timestamp::from_micros(1).micros(),
                payload: payload.encode_to_vec(),
                ..Envelope::default()
            }
        }

        fn question(&self, subject: &str, answered: bool) -> Envelope {
            let recorded = MessageRecorded {
                program_id: self.program.clone(),
                subject: subject.to_owned(),
                answered,
                refusal_code: if answered { String::new() } else { "NOT_IN_PROGRAM".to_owned() },
                cited_source_ids: if answered { vec!["src_1".to_owned()] } else { Vec::new() },
                ..MessageRecorded::default()
            };
            self.event("message.recorded", &recorded)
        }

        /// Every count of a program of an org, and its learners.
        async fn of(&self, org: OrgId, program: &str) -> (Vec<(String, String, i64)>, i64) {
            let scope = Arc::new(Scope::of_system(SystemActor::Analytics, org));
            let tx = self.counter.store.read(&scope).await.expect("a transaction");
            let rows = store::counts(&tx, program)
                .await
                .expect("counts")
                .into_iter()
                .map(|row| (row.measure, row.key, row.count));
            let mut rows: Vec<_> = rows.collect();
            rows.sort();
            (rows, store::learners(&tx, program).await.expect("learners"))
        }
    }

    fn row(measure: Measure, key: &str, count: i64) -> (String, String, i64) {
        (measure.name().to_owned(), key.to_owned(), count)
    }

    #[tokio::test]
    async fn an_event_counts_once_however_often_it_is_delivered() {
        let counted = Counted::new().await;
        let (first, second) = (counted.question("learner_a", true), counted.question("learner_a", false));
        for event in [&first, &second, &first, &second, &first] {
            counted.counter.handle(event).await.expect("it is counted");
        }
        let expected = vec![
            row(Measure::Citation, "src_1", 1),
            row(Measure::Outcome, "answered", 1),
            row(Measure::Outcome, "refused", 1),
            row(Measure::Refusal, "NOT_IN_PROGRAM", 1),
        ];
        assert_eq!(
            counted.of(counted.org, &counted.program).await,
            (expected, 1),
            "one learner, two questions"
        );
    }

    #[tokio::test]
    async fn the_closest_passages_are_neither_an_answer_nor_a_refusal() {
        let counted = Counted::new().await;
        let recorded = MessageRecorded {
            program_id: counted.program.clone(),
            subject: "learner_a".to_owned(),
            closest: true,
            cited_source_ids: vec!["src_1".to_owned()],
            ..MessageRecorded::default()
        };
        counted.counter.handle(&counted.event("message.recorded", &recorded)).await.expect("it is counted");
        let expected = vec![row(Measure::Citation, "src_1", 1), row(Measure::Outcome, "closest", 1)];
        assert_eq!(counted.of(counted.org, &counted.program).await, (expected, 1));
    }

    #[tokio::test]
    async fn orgs_and_programs_are_counted_apart() {
        let counted = Counted::new().await;
        for subject in ["learner_a", "learner_b"] {
            counted.counter.handle(&counted.question(subject, true)).await.expect("it is counted");
        }
        assert_eq!(counted.of(counted.org, &counted.program).await.1, 2);
        assert_eq!(
            counted.of(OrgId::generate(), &counted.program).await,
            (Vec::new(), 0),
            "another org has none"
        );
        assert_eq!(
            counted.of(counted.org, &ProgramId::generate().to_string()).await,
            (Vec::new(), 0),
            "another program has none"
        );
    }

    #[tokio::test]
    async fn a_message_without_an_objective_is_counted_as_such() {
        let counted = Counted::new().await;
        for objective in ["obj_1", "", "obj_1"] {
            let classified = MessageClassified {
                program_id: counted.program.clone(),
                objective_id: objective.to_owned(),
                ..MessageClassified::default()
            };
            let event = counted.event("alignment.message_classified", &classified);
            counted.counter.handle(&event).await.expect("it is counted");
        }
        let expected = vec![row(Measure::Objective, NO_OBJECTIVE, 1), row(Measure::Objective, "obj_1", 2)];
        assert_eq!(counted.of(counted.org, &counted.program).await.0, expected);
    }

    #[tokio::test]
    async fn what_cannot_be_read_is_refused_for_good_and_what_is_unknown_is_passed_over() {
        let counted = Counted::new().await;
        let broken = Envelope { payload: vec![0xff; 3], ..counted.question("learner_a", true) };
        assert!(matches!(counted.counter.handle(&broken).await, Err(HandlerError::Permanent(_))));
        let homeless = Envelope { org_id: "nowhere".to_owned(), ..counted.question("learner_a", true) };
        assert!(matches!(counted.counter.handle(&homeless).await, Err(HandlerError::Permanent(_))));
        counted
            .counter
            .handle(&counted.event("credit.issued", &MessageRecorded::default()))
            .await
            .expect("others' events are nothing to count");
        assert_eq!(counted.of(counted.org, &counted.program).await, (Vec::new(), 0));
    }
}
