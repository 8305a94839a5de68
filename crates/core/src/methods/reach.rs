//! Objects by id, as far as the caller's reseller reaches: all others are not found.
use hookswitch_model::{
    Object,
    objects::{
        account::Account,
        client::{Client, ClientStatus},
        company::Company,
        custom_field::CustomField,
    },
    refusal::{FieldErrors, Refusal},
};
use hookswitch_store::{Tx, tables};

use super::params;
use crate::perform::At;

/// A client that the caller may see.
pub(crate) fn client(tx: &Tx, at: &At, id: i64) -> Result<Client, Refusal> {
    tables::clients::get(tx, id)?
        .filter(|client| at.access.sees(&at.caller, client.companies_id))
        .ok_or_else(|| Refusal::not_found(super::clients::OBJECT, id))
}

/// The client that a request names as the owner of something new; what is wrong with it is added to the errors.
pub(crate) fn owner(tx: &Tx, at: &At, request: &Object, errors: &mut FieldErrors) -> Result<Option<Client>, Refusal> {
    let id = params::integer(request, "clients_id").unwrap_or(0);
    let client = tables::clients::get(tx, id)?.filter(|client| at.access.sees(&at.caller, client.companies_id));
    match &client {
        None => errors.add("clients_id", "does not exist"),
        Some(client) if client.status == ClientStatus::Archived => errors.add("clients_id", "is archived"),
        Some(_) => {}
    }
    Ok(client)
}

/// An account that the caller may see, and its client's reseller.
pub(crate) fn account(tx: &Tx, at: &At, id: i64) -> Result<(Account, Client), Refusal> {
    let not_found = || Refusal::not_found(super::accounts::OBJECT, id);
    let account = tables::accounts::get(tx, &at.vault, id)?.ok_or_else(not_found)?;
    let client = client(tx, at, account.clients_id).map_err(|_| not_found())?;
    Ok((account, client))
}

/// A reseller that the caller may see.
pub(crate) fn company(tx: &Tx, at: &At, id: i64) -> Result<Company, Refusal> {
    tables::companies::get(tx, id)?
        .filter(|company| at.access.sees(&at.caller, company.id))
        .ok_or_else(|| Refusal::not_found(super::companies::OBJECT, id))
}

/// The definition of a custom field that the caller may see: one of the whole system by users of the whole system only.
pub(crate) fn custom_field(tx: &Tx, at: &At, id: i64) -> Result<CustomField, Refusal> {
    tables::custom_fields::get(tx, id)?
        .filter(|definition| match definition.companies_id {
            None => at.caller.companies_id.is_none(),
            Some(companies_id) => at.access.sees(&at.caller, companies_id),
        })
        .ok_or_else(|| Refusal::not_found(super::custom_fields::OBJECT, id))
}
