//! How many objects there are of each kind that a resync tells, by reseller: out of indexes, where there is one.
use hookswitch_model::handler::Basis;

use crate::{Error, Tx};

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum What {
    /// Clients.
    Clients,
    /// Clients that are archived.
    Archived,
    /// Clients whose balance of this basis is in funds, or is not.
    Funds(Basis, bool),
    /// Accounts.
    Accounts,
    /// Client packages that were not activated yet.
    NewPackages,
    /// Activated client packages.
    Activated,
    /// Deactivated client packages.
    Deactivated,
}

impl What {
    fn sql(self) -> &'static str {
        match self {
            Self::Clients => "SELECT companies_id, COUNT(*) FROM clients GROUP BY companies_id",
            Self::Archived => "SELECT companies_id, COUNT(*) FROM clients WHERE status = 'archived' GROUP BY companies_id",
            Self::Funds(Basis::Live, true) => {
                "SELECT companies_id, COUNT(*) FROM clients WHERE live_in_funds = 1 GROUP BY companies_id"
            }
            Self::Funds(Basis::Live, false) => {
                "SELECT companies_id, COUNT(*) FROM clients WHERE live_in_funds = 0 GROUP BY companies_id"
            }
            Self::Funds(Basis::Available, true) => {
                "SELECT companies_id, COUNT(*) FROM clients WHERE available_in_funds = 1 GROUP BY companies_id"
            }
            Self::Funds(Basis::Available, false) => {
                "SELECT companies_id, COUNT(*) FROM clients WHERE available_in_funds = 0 GROUP BY companies_id"
            }
            Self::Accounts => "SELECT companies_id, COUNT(*) FROM accounts GROUP BY companies_id",
            Self::NewPackages => {
                "SELECT companies_id, COUNT(*) FROM client_packages WHERE condition = 'new' GROUP BY companies_id"
            }
            Self::Activated => {
                "SELECT companies_id, COUNT(*) FROM client_packages WHERE condition = 'activated' GROUP BY companies_id"
            }
            Self::Deactivated => {
                "SELECT companies_id, COUNT(*) FROM client_packages WHERE condition = 'deactivated' GROUP BY companies_id"
            }
        }
    }
}

/// Each reseller that has any, and how many.
///
/// # Errors
/// Whatever the engine says.
pub fn by_reseller(tx: &Tx<'_>, what: What) -> Result<Vec<(i64, i64)>, Error> {
    tx.query(what.sql(), &[], |row| Ok((row.get(0)?, row.get(1)?)))
}
