//! The suites that every key engine and every memory of a signer pass.

use aws_lc_rs::signature::{ED25519, UnparsedPublicKey};
use preceptor_core::id::OrgId;

use crate::{KeyError, KeyName, Keys, MemoryError, Purpose, SignedHead, SignerMemory, Wrapped};

/// Runs the whole suite.
///
/// # Panics
/// When the engine does not conform; the message says how.
pub async fn run(keys: &dyn Keys) {
    signatures_verify_under_the_published_key(keys).await;
    a_new_version_signs_and_the_one_before_is_accepted(keys).await;
    orgs_and_purposes_have_keys_of_their_own(keys).await;
    wrapping_is_bound_to_key_and_context(keys).await;
    many_at_once_are_each_by_itself(keys).await;
}

async fn signatures_verify_under_the_published_key(keys: &dyn Keys) {
    let name = KeyName::of_deployment(Purpose::ScopeTokens);
    let signature = keys.sign(name, b"message").await.expect("a signature");
    let published = keys.public_keys(name).await.expect("public keys");
    let key =
        published.iter().find(|key| key.key_id == signature.key_id).expect("the signing key is published");
    let verifier = UnparsedPublicKey::new(&ED25519, &key.bytes);
    verifier.verify(b"message", &signature.bytes).expect("a valid signature");
    assert!(verifier.verify(b"another", &signature.bytes).is_err(), "a signature fits another message");
}

async fn a_new_version_signs_and_the_one_before_is_accepted(keys: &dyn Keys) {
    let name = KeyName::of_deployment(Purpose::ScopeTokens);
    let first = keys.sign(name, b"message").await.expect("a signature").key_id;
    let second = keys.rotate(name).await.expect("a new version");
    let ids = async || {
        keys.public_keys(name)
            .await
            .expect("public keys")
            .into_iter()
            .map(|key| key.key_id)
            .collect::<Vec<_>>()
    };
    assert_eq!(keys.sign(name, b"message").await.expect("a signature").key_id, second);
    assert_eq!(ids().await, [second.clone(), first.clone()], "newest first");
    signatures_verify_under_the_published_key(keys).await;
    let third = keys.rotate(name).await.expect("a new version");
    assert_eq!(ids().await, [third, second], "the first is retired");
    assert!(matches!(
        keys.rotate(KeyName::of_deployment(Purpose::DataKeys)).await,
        Err(KeyError::NotRotated)
    ));
}

async fn orgs_and_purposes_have_keys_of_their_own(keys: &dyn Keys) {
    let (one, two) = (OrgId::generate(), OrgId::generate());
    let tag = async |name| keys.hmac(name, b"learner").await.expect("a tag");
    let first = tag(KeyName::of_org(Purpose::Pseudonyms, one)).await;
    assert_eq!(first, tag(KeyName::of_org(Purpose::Pseudonyms, one)).await, "an HMAC changed");
    assert_ne!(first, tag(KeyName::of_org(Purpose::Pseudonyms, two)).await, "two orgs share a key");
    assert_ne!(first, tag(KeyName::of_org(Purpose::Credentials, one)).await, "two purposes share a key");
}

async fn wrapping_is_bound_to_key_and_context(keys: &dyn Keys) {
    let (one, two) = (OrgId::generate(), OrgId::generate());
    let name = KeyName::of_org(Purpose::DataKeys, one);
    let wrapped = keys.wrap(name, b"data key", b"subject-1").await.expect("a wrapped key");
    assert_eq!(keys.unwrap(name, &wrapped, b"subject-1").await.expect("the data key"), b"data key");
    let foreign = KeyName::of_org(Purpose::DataKeys, two);
    let mut changed = wrapped.clone();
    changed[20] ^= 1;
    for (what, result) in [
        ("context", keys.unwrap(name, &wrapped, b"subject-2").await),
        ("org", keys.unwrap(foreign, &wrapped, b"subject-1").await),
        ("byte", keys.unwrap(name, &changed, b"subject-1").await),
        ("length", keys.unwrap(name, &wrapped[..4], b"subject-1").await),
    ] {
        assert!(matches!(result, Err(KeyError::BadCiphertext)), "another {what} opened the key");
    }
}

async fn many_at_once_are_each_by_itself(keys: &dyn Keys) {
    let name = KeyName::of_org(Purpose::DataKeys, OrgId::generate());
    let messages = [b"one".to_vec(), b"two".to_vec()];
    let tags = keys.hmac_all(name, &messages).await.expect("tags");
    for (tag, message) in tags.iter().zip(&messages) {
        assert_eq!(*tag, keys.hmac(name, message).await.expect("a tag"), "another tag among others");
    }
    let (first, second) = (
        keys.wrap(name, b"first", b"subject-1").await.expect("a wrapped key"),
        keys.wrap(name, b"second", b"subject-2").await.expect("a wrapped key"),
    );
    let of = |ciphertext, context| Wrapped { ciphertext, context };
    let both = [of(&second[..], &b"subject-2"[..]), of(&first[..], &b"subject-1"[..])];
    assert_eq!(keys.unwrap_all(name, &both).await.expect("the data keys"), [&b"second"[..], b"first"]);
    let exchanged = [both[0], of(&first[..], &b"subject-2"[..])];
    assert!(matches!(keys.unwrap_all(name, &exchanged).await, Err(KeyError::BadCiphertext)));
    assert!(keys.hmac_all(name, &[]).await.expect("no tags").is_empty());
    assert!(keys.unwrap_all(name, &[]).await.expect("no data keys").is_empty());
}

/// Runs the suite of the memory of a signer.
///
/// # Panics
/// When it does not conform; the message says how.
pub async fn remember(memory: &dyn SignerMemory) {
    let (log, other) = (OrgId::generate(), OrgId::generate());
    let head =
        |size: u64, root: u8| SignedHead { origin: format!("audit.example/{log}"), size, root: [root; 32] };
    assert_eq!(memory.last(log).await.expect("an answer"), None, "a new log was signed already");
    memory.advance(log, None, &head(3, 1)).await.expect("the first");
    assert_eq!(memory.last(log).await.expect("an answer"), Some(head(3, 1)));
    assert_eq!(memory.last(other).await.expect("an answer"), None, "logs share a memory");
    for stale in [None, Some(&head(2, 1)), Some(&head(3, 2))] {
        assert!(
            matches!(memory.advance(log, stale, &head(9, 9)).await, Err(MemoryError::Moved)),
            "it moved on from {stale:?}"
        );
    }
    for (next, how) in [(head(2, 1), "went back"), (head(3, 2), "signed two roots of one size")] {
        assert!(
            matches!(memory.advance(log, Some(&head(3, 1)), &next).await, Err(MemoryError::Backwards { .. })),
            "it {how}"
        );
    }
    let renamed = SignedHead { origin: "audit.example/another".into(), ..head(9, 9) };
    assert!(memory.advance(log, Some(&head(3, 1)), &renamed).await.is_err(), "a log changed its name");
    assert_eq!(
        memory.last(log).await.expect("an answer"),
        Some(head(3, 1)),
        "a refusal changed what is remembered"
    );
    memory.advance(log, Some(&head(3, 1)), &head(3, 1)).await.expect("the same again");
    memory.advance(log, Some(&head(3, 1)), &head(9, 9)).await.expect("the next");
    assert_eq!(memory.last(log).await.expect("an answer"), Some(head(9, 9)));
    memory.forget(log).await.expect("it forgets");
    memory.forget(log).await.expect("it has nothing to forget");
    assert_eq!(memory.last(log).await.expect("an answer"), None);
}
