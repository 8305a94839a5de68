//! Tables as the products' own scripts make them: the columns that matter, their keys, and what is not null.
use super::target::Target;

/// Of Kamailio 5.x.
pub(crate) fn kamailio(target: &Target) -> Vec<String> {
    vec![format!(
        "CREATE TABLE subscriber (id {}, username VARCHAR(64) DEFAULT '' NOT NULL, domain VARCHAR(64) DEFAULT '' NOT NULL,
          password VARCHAR(64) DEFAULT '' NOT NULL, ha1 VARCHAR(128) DEFAULT '' NOT NULL, ha1b VARCHAR(128) DEFAULT '' NOT NULL,
          CONSTRAINT account_idx UNIQUE (username, domain))",
        target.serial()
    )]
}

/// Of OpenSIPS 3.x.
pub(super) fn opensips(target: &Target) -> Vec<String> {
    vec![format!(
        "CREATE TABLE subscriber (id {}, username VARCHAR(64) DEFAULT '' NOT NULL, domain VARCHAR(64) DEFAULT '' NOT NULL,
          password VARCHAR(25) DEFAULT '' NOT NULL, ha1 VARCHAR(64) DEFAULT '' NOT NULL, ha1_sha256 VARCHAR(64) DEFAULT '' NOT NULL,
          ha1_sha512t256 VARCHAR(64) DEFAULT '' NOT NULL, CONSTRAINT account_idx UNIQUE (username, domain))",
        target.serial()
    )]
}

/// Of FreeRADIUS 3.x.
pub(crate) fn freeradius(target: &Target) -> Vec<String> {
    let attributes = |table: &str, op: &str| {
        format!(
            "CREATE TABLE {table} (id {}, username VARCHAR(64) NOT NULL DEFAULT '', attribute VARCHAR(64) NOT NULL DEFAULT '',
              op CHAR(2) NOT NULL DEFAULT '{op}', value VARCHAR(253) NOT NULL DEFAULT '')",
            target.serial()
        )
    };
    let groups = format!(
        "CREATE TABLE radusergroup (id {}, username VARCHAR(64) NOT NULL DEFAULT '', groupname VARCHAR(64) NOT NULL DEFAULT '',
          priority INT NOT NULL DEFAULT 0)",
        target.serial()
    );
    vec![attributes("radcheck", "=="), attributes("radreply", "="), groups]
}

/// Of Asterisk 20, whose yes and no are an enumeration.
pub(super) fn asterisk(target: &Target) -> Vec<String> {
    let (mut types, yesno, auth) = match target {
        Target::Postgres(_) => (
            vec![
                "CREATE TYPE ast_bool_values AS ENUM ('0', '1', 'off', 'on', 'false', 'true', 'no', 'yes')".to_owned(),
                "CREATE TYPE pjsip_auth_type_values_v2 AS ENUM ('md5', 'userpass', 'google_oauth')".to_owned(),
            ],
            "ast_bool_values",
            "pjsip_auth_type_values_v2",
        ),
        Target::MariaDb(..) => (Vec::new(), "ENUM('0','1','off','on','false','true','no','yes')", "ENUM('md5','userpass')"),
        Target::Sqlite(_) => (Vec::new(), "VARCHAR(8)", "VARCHAR(16)"),
    };
    types.extend([
        format!("CREATE TABLE ps_aors (id VARCHAR(255) NOT NULL UNIQUE, max_contacts INTEGER, remove_existing {yesno})"),
        format!(
            "CREATE TABLE ps_auths (id VARCHAR(255) NOT NULL UNIQUE, auth_type {auth}, md5_cred VARCHAR(40), password VARCHAR(80),
              realm VARCHAR(255), username VARCHAR(40))"
        ),
        "CREATE TABLE ps_endpoints (id VARCHAR(255) NOT NULL UNIQUE, transport VARCHAR(40), aors VARCHAR(2048), auth VARCHAR(255),
          context VARCHAR(40), disallow VARCHAR(200), allow VARCHAR(200))"
            .to_owned(),
    ]);
    types
}
