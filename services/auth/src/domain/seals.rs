//! A keyed hash over every row that decides who may do what, and over those whose content is printed and signed: names of
//! orgs, and whose a provider's number is. Anyone who can write the database and does not hold the key can end a credential,
//! and cannot make a row say something else.

use preceptor_keys::{KeyName, Keys, Purpose};

use crate::Error;
use crate::store::{credential, org, provider_number, roll, staff};

const KEY: KeyName = KeyName::of_deployment(Purpose::Accounts);

/// A row that carries its own keyed hash.
pub(crate) trait Sealed {
    /// The table, which keeps rows of different tables apart.
    const TABLE: &'static str;

    /// Every value of the row but its seal, in one order.
    fn values(&self) -> Vec<Option<String>>;

    fn seal(&self) -> &str;

    fn set_seal(&mut self, seal: String);
}

impl Sealed for credential::Model {
    const TABLE: &'static str = "auth_credential";

    fn values(&self) -> Vec<Option<String>> {
        // Taken apart, so that a new column cannot be forgotten.
        let Self {
            org_id,
            id,
            kind,
            name,
            secret_hash,
            staff_id,
            subject,
            program_id,
            acting,
            parent_id,
            epoch,
            created_at,
            expires_at,
            last_seen_at,
            revoked_at,
            seal: _,
            made_by,
        } = self.clone();
        let numbers = [Some(epoch), Some(created_at), Some(expires_at), last_seen_at, revoked_at];
        let mut values =
            vec![Some(org_id), Some(id), Some(kind), Some(name), Some(secret_hash), staff_id, Some(subject)];
        values.extend([program_id, acting, parent_id]);
        values.extend(numbers.map(|number| number.map(|number| number.to_string())));
        // Only where there is one, so that rows from before keep their seals.
        values.extend(made_by.map(Some));
        values
    }

    fn seal(&self) -> &str {
        &self.seal
    }

    fn set_seal(&mut self, seal: String) {
        self.seal = seal;
    }
}

impl Sealed for staff::Model {
    const TABLE: &'static str = "auth_staff";

    fn values(&self) -> Vec<Option<String>> {
        let Self { org_id, id, display_name, role, state, email, epoch, created_at, seal: _ } = self.clone();
        let mut values = vec![Some(org_id), Some(id), Some(display_name), Some(role), Some(state), email];
        values.extend([epoch, created_at].map(|number| Some(number.to_string())));
        values
    }

    fn seal(&self) -> &str {
        &self.seal
    }

    fn set_seal(&mut self, seal: String) {
        self.seal = seal;
    }
}

impl Sealed for roll::Model {
    const TABLE: &'static str = "auth_roll";

    fn values(&self) -> Vec<Option<String>> {
        let Self { org_id, revision, content, seal: _ } = self.clone();
        vec![Some(org_id), Some(revision.to_string()), Some(content)]
    }

    fn seal(&self) -> &str {
        &self.seal
    }

    fn set_seal(&mut self, seal: String) {
        self.seal = seal;
    }
}

impl Sealed for org::Model {
    const TABLE: &'static str = "auth_org";

    fn values(&self) -> Vec<Option<String>> {
        let Self { id, name, default_app_id, plan, created_at, seal: _ } = self.clone();
        Vec::from([id, default_app_id, name, plan, created_at.to_string()].map(Some))
    }

    fn seal(&self) -> &str {
        &self.seal
    }

    fn set_seal(&mut self, seal: String) {
        self.seal = seal;
    }
}

impl Sealed for provider_number::Model {
    const TABLE: &'static str = "auth_provider_number";

    fn values(&self) -> Vec<Option<String>> {
        let Self { body, number, org_id, held_by, held_at, released_at, seal: _ } = self.clone();
        let mut values = Vec::from([org_id, number, body, held_by, held_at.to_string()].map(Some));
        values.push(released_at.map(|at| at.to_string()));
        values
    }

    fn seal(&self) -> &str {
        &self.seal
    }

    fn set_seal(&mut self, seal: String) {
        self.seal = seal;
    }
}

/// The bytes that are hashed: every value with its length, so that no two rows read the same.
fn canonical<R: Sealed>(row: &R) -> Vec<u8> {
    let mut bytes = R::TABLE.as_bytes().to_vec();
    for value in row.values() {
        match value {
            Some(text) => {
                bytes.push(1);
                bytes.extend((text.len() as u64).to_be_bytes());
                bytes.extend(text.as_bytes());
            }
            None => bytes.push(0),
        }
    }
    bytes
}

/// Seals a row as it is now.
pub(crate) async fn seal<R: Sealed + Send>(keys: &dyn Keys, mut row: R) -> Result<R, Error> {
    let tag = keys.hmac(KEY, &canonical(&row)).await?;
    row.set_seal(hex::encode(tag));
    Ok(row)
}

/// A row that was read, if it is as it was sealed: what opens a door.
pub(crate) async fn open<R: Sealed + Send>(keys: &dyn Keys, row: R) -> Result<R, Error> {
    let tag = keys.hmac(KEY, &canonical(&row)).await?;
    intact(row, tag).ok_or(Error::CredentialInvalid)
}

/// A row that was read, if it is as it was sealed: what is told to others, printed and signed.
pub(crate) async fn told<R: Sealed + Send>(keys: &dyn Keys, row: R) -> Result<R, Error> {
    let tag = keys.hmac(KEY, &canonical(&row)).await?;
    intact(row, tag).ok_or(Error::RowChanged)
}

/// Those of the rows that are as they were sealed: what is listed and counted.
pub(crate) async fn all_intact<R: Sealed + Send>(keys: &dyn Keys, rows: Vec<R>) -> Result<Vec<R>, Error> {
    if rows.is_empty() {
        return Ok(rows);
    }
    let read: Vec<Vec<u8>> = rows.iter().map(canonical).collect();
    let tags = keys.hmac_all(KEY, &read).await?;
    Ok(rows.into_iter().zip(tags).filter_map(|(row, tag)| intact(row, tag)).collect())
}

/// A row that was read, if it is as it was sealed, and so has this keyed hash; nothing otherwise, with an alarm.
fn intact<R: Sealed>(row: R, tag: [u8; 32]) -> Option<R> {
    let same = hex::decode(row.seal())
        .is_ok_and(|seal| aws_lc_rs::constant_time::verify_slices_are_equal(&seal, &tag).is_ok());
    if same {
        return Some(row);
    }
    let values = row.values();
    let (org, id) = (values[0].as_deref().unwrap_or_default(), values[1].as_deref().unwrap_or_default());
    tracing::error!(
        alarm = "ROW_CHANGED_OUTSIDE",
        table = R::TABLE,
        org,
        id,
        "a row of accounts was changed by hand and is not used"
    );
    None
}
