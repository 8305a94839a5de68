//! Which action is which method. `xForm` reads, `x` with `apply=1` writes, `list` returns `rows`.

/// An action.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Action {
    /// `module.action`.
    pub(super) name: &'static str,
    /// The object of its module: `id_<object>` is its id.
    pub(super) object: &'static str,
    pub(super) does: Does,
}

/// What an action does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Does {
    /// Lists rows by this method.
    List(&'static str),
    /// Shows one object, by this method, under this name.
    Show(&'static str, &'static str),
    /// Shows what a new one can be made of: the fields of this method.
    Blank(&'static str),
    /// Changes something by this method.
    Write(&'static str),
    /// Lists a client's custom fields.
    Fields,
    /// Changes them.
    ChangeFields,
    /// Lists a client's packages, with the periods of those packages.
    Packages,
    /// Lists the calls of a handler.
    Logs,
}

const fn action(name: &'static str, object: &'static str, does: Does) -> Action {
    Action { name, object, does }
}

/// All of them.
pub(super) const ACTIONS: &[Action] = &[
    action("clients.list", "clients", Does::List("clients.search")),
    action("clients.addForm", "clients", Does::Blank("clients.create")),
    action("clients.add", "clients", Does::Write("clients.create")),
    action("clients.editForm", "clients", Does::Show("clients.get", "client")),
    action("clients.edit", "clients", Does::Write("clients.update")),
    action("clients.delete", "clients", Does::Write("clients.delete")),
    action("clients.archive", "clients", Does::Write("clients.archive")),
    action("clients.fieldsList", "clients", Does::Fields),
    action("clients.fieldsUpdate", "clients", Does::ChangeFields),
    action("clients.packagesList", "clients_packages", Does::Packages),
    action("clients.packagesAdd", "clients_packages", Does::Write("clients.packages.assign")),
    action("clients.packagesClose", "clients_packages", Does::Write("clients.packages.close")),
    action("accounts.list", "accounts", Does::List("clients.accounts.search")),
    action("accounts.addForm", "accounts", Does::Blank("clients.accounts.create")),
    action("accounts.add", "accounts", Does::Write("clients.accounts.create")),
    action("accounts.editForm", "accounts", Does::Show("clients.accounts.get", "account")),
    action("accounts.edit", "accounts", Does::Write("clients.accounts.update")),
    action("accounts.delete", "accounts", Does::Write("clients.accounts.delete")),
    action("packages.list", "packages", Does::List("packages.search")),
    action("packages.editForm", "packages", Does::Show("packages.get", "package")),
    action("packages.add", "packages", Does::Write("packages.create")),
    action("packages.edit", "packages", Does::Write("packages.update")),
    action("transactions.list", "transactions", Does::List("accounting.transactions.search")),
    action("transactions.add", "transactions", Does::Write("accounting.transactions.create")),
    action("provisioning.list", "provisioning", Does::List("provisioning.handlers.search")),
    action("provisioning.addForm", "provisioning", Does::Blank("provisioning.handlers.create")),
    action("provisioning.add", "provisioning", Does::Write("provisioning.handlers.create")),
    action("provisioning.editForm", "provisioning", Does::Show("provisioning.handlers.get", "handler")),
    action("provisioning.edit", "provisioning", Does::Write("provisioning.handlers.update")),
    action("provisioning.delete", "provisioning", Does::Write("provisioning.handlers.delete")),
    action("provisioning.logs", "provisioning", Does::Logs),
];

/// Finds one by its name.
pub(super) fn find(name: &str) -> Option<&'static Action> {
    ACTIONS.iter().find(|action| action.name == name)
}

#[cfg(test)]
mod tests {
    use hookswitch_core::registry;

    use super::*;

    #[test]
    fn every_action_is_a_method_that_there_is() {
        for Action { name, does, .. } in ACTIONS {
            let (Does::List(method) | Does::Show(method, _) | Does::Blank(method) | Does::Write(method)) = does else { continue };
            assert!(registry::find(method).is_some(), "{name}");
            assert!(!matches!(does, Does::Write(_)) || registry::find(method).unwrap().changes(), "{name}");
        }
    }
}
