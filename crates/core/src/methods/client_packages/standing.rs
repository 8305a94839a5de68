//! A client package with all that its life depends on: its package, its client, the reseller's calendar.
use hookswitch_model::{
    life::Scene,
    moment::Moment,
    objects::{client::Client, client_package::ClientPackage, package::Package},
    period,
    refusal::Refusal,
};
use hookswitch_store::{Tx, tables};

use crate::perform::At;

/// One open client package and what stands around it.
#[derive(Debug, Clone)]
pub(crate) struct Standing {
    pub(crate) own: ClientPackage,
    pub(crate) package: Package,
    pub(crate) client: Client,
    /// Where dates of its reseller begin.
    pub(crate) timezone: String,
    pub(crate) now: Moment,
}

impl Standing {
    /// What its life depends on.
    pub(crate) fn scene(&self) -> Scene<'_> {
        let zone = period::zone(&self.timezone);
        Scene { package: &self.package, zone, available: self.client.available(), now: self.now }
    }
}

/// A client package that the caller may see.
pub(super) fn seen(tx: &Tx, at: &At, id: i64) -> Result<ClientPackage, Refusal> {
    tables::client_packages::get(tx, id)?
        .filter(|own| at.access.sees(&at.caller, own.companies_id))
        .ok_or_else(|| Refusal::not_found(super::OBJECT, id))
}

/// The same with what stands around it.
///
/// # Errors
/// `wrong_condition` if it is closed: nothing can happen to it any more.
pub(super) fn open(tx: &Tx, at: &At, id: i64) -> Result<Standing, Refusal> {
    let own = seen(tx, at, id)?;
    if !own.is_open() {
        return Err(super::wrong_condition("it is closed, for ever"));
    }
    around(tx, at, own)?.ok_or_else(|| Refusal::not_found(super::OBJECT, id))
}

/// A client package for the clock; `None` if it is gone or closed.
pub(crate) fn for_clock(tx: &Tx, at: &At, id: i64) -> Result<Option<Standing>, Refusal> {
    match tables::client_packages::get(tx, id)?.filter(ClientPackage::is_open) {
        Some(own) => around(tx, at, own),
        None => Ok(None),
    }
}

fn around(tx: &Tx, at: &At, own: ClientPackage) -> Result<Option<Standing>, Refusal> {
    let package = tables::packages::get(tx, own.packages_id)?;
    let client = tables::clients::get(tx, own.clients_id)?;
    let timezone = at.access.timezone_of(own.companies_id).to_owned();
    Ok(package.zip(client).map(|(package, client)| Standing { own, package, client, timezone, now: at.now }))
}
