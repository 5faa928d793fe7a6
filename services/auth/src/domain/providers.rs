//! Whose a number at an accreditor is: what only the deployment as a whole can say.
//!
//! Orgs keep their accreditations in their own cells, where no one sees that another org recorded the same number. What
//! the operator confirmed is therefore held here, once per body and number.

use preceptor_core::{Capability, Scope};
use preceptor_store::{ControlTx, StoreError};
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait as _, EntityTrait as _, QueryFilter as _};

use super::{Accounts, seals};
use crate::Error;
use crate::store::provider_number;

/// A number as it is compared: letters and digits, in upper case, without zeros in front.
fn compared(number: &str) -> Result<String, Error> {
    let plain: String =
        number.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_uppercase()).collect();
    let plain = plain.trim_start_matches('0');
    if plain.is_empty() || plain.len() > 100 {
        return Err(Error::InvalidField {
            field: "provider_number",
            what: "must have letters or digits, and not only zeros",
        });
    }
    Ok(plain.to_owned())
}

impl Accounts {
    /// Holds a number for an org; again is the same. Another org's is refused.
    pub(crate) async fn hold_provider_number(
        &self,
        operator: &Scope,
        org: &str,
        body: &str,
        number: &str,
    ) -> Result<(), Error> {
        self.org(org).await?;
        let number = compared(number)?;
        let tx = self.deps.control.write().await?;
        match self.held(&tx, body, &number).await? {
            Some(held) if held.org_id == org => return Ok(()),
            Some(_) => return Err(Error::ProviderNumberTaken),
            None => {}
        }
        let row = provider_number::Model {
            body: body.to_owned(),
            number,
            org_id: org.to_owned(),
            held_by: operator.subject().to_owned(),
            held_at: tx.now().micros(),
            released_at: None,
            seal: String::new(),
        };
        match tx.insert(seals::seal(&*self.deps.keys, row).await?).await {
            // Someone confirmed it for another org at the same moment.
            Err(StoreError::Duplicate(_)) => Err(Error::ProviderNumberTaken),
            Err(error) => Err(error.into()),
            Ok(()) => Ok(tx.commit().await?),
        }
    }

    /// Gives a number free that an org held.
    pub(crate) async fn release_provider_number(
        &self,
        org: &str,
        body: &str,
        number: &str,
    ) -> Result<(), Error> {
        use provider_number::{Column, Entity};
        let number = compared(number)?;
        let tx = self.deps.control.write().await?;
        let Some(held) = self.held(&tx, body, &number).await?.filter(|held| held.org_id == org) else {
            return Ok(());
        };
        let released = provider_number::Model { released_at: Some(tx.now().micros()), ..held };
        let released = seals::seal(&*self.deps.keys, released).await?;
        let update = Entity::update_many()
            .col_expr(Column::ReleasedAt, Expr::value(released.released_at))
            .col_expr(Column::Seal, Expr::value(released.seal))
            .filter(Column::Body.eq(released.body))
            .filter(Column::Number.eq(released.number))
            .filter(Column::HeldAt.eq(released.held_at));
        tx.update(update).await?;
        Ok(tx.commit().await?)
    }

    /// The row of the org that holds a number, if one does. Every row about the number has to be as it was sealed, those of
    /// orgs that gave it back too: one that was made to say so by hand would free it.
    async fn held(
        &self,
        tx: &ControlTx,
        body: &str,
        number: &str,
    ) -> Result<Option<provider_number::Model>, Error> {
        use provider_number::{Column, Entity};
        let about = Entity::find().filter(Column::Body.eq(body)).filter(Column::Number.eq(number));
        let mut holder = None;
        for row in tx.all(about).await? {
            let row = seals::told(&*self.deps.keys, row).await?;
            if row.released_at.is_none() {
                holder = Some(row);
            }
        }
        Ok(holder)
    }

    /// The name of an org: to the one who acts in it, and to the operator.
    pub(crate) async fn org_name(&self, scope: &Scope, org: &str) -> Result<String, Error> {
        if scope.org().to_string() != org && !scope.grants(Capability::Operate) {
            return Err(Error::OrgNotFound);
        }
        Ok(self.org(org).await?.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_the_same_however_it_is_written() {
        for same in ["0001234", "1234", " 000-1234 ", "00 01234"] {
            assert_eq!(compared(same).expect("a number"), "1234");
        }
        assert_eq!(compared("p0147x").expect("a number"), "P0147X");
        assert!(["", "000", "--"].iter().all(|wrong| compared(wrong).is_err()));
    }
}
