//! The dialogue with a mail server: one connection a message.
use std::time::Duration;

use lettre::transport::smtp::{
    Error,
    authentication::{Credentials, Mechanism},
    client::{AsyncSmtpConnection, Certificate, CertificateStore, TlsParameters},
    extension::ClientId,
};
use rustls::pki_types::{CertificateDer, pem::PemObject as _};

use super::{
    super::{configured::settings::Tls, host::Host, words},
    message::Mail,
    settings::Settings,
};

const MECHANISMS: [Mechanism; 2] = [Mechanism::Plain, Mechanism::Login];

/// Whom to talk to, and how.
pub(super) struct Dialogue {
    host: Host,
    smtps: bool,
    tls: Tls,
    parameters: TlsParameters,
    login: Option<Credentials>,
    hello: ClientId,
}

/// Why a message was not taken.
pub(super) enum Trouble {
    /// There was nobody to talk to.
    Unreachable(String),
    /// The server said no, or something that is no answer.
    Refused { status: Option<i64>, words: String },
}

/// What can be said of the settings without a connection.
pub(super) fn check(settings: &Settings, host: &str) -> Result<(), String> {
    parameters(settings, host).map(drop)
}

fn parameters(settings: &Settings, host: &str) -> Result<TlsParameters, String> {
    let unfit = |()| "has a ca, which must be a certificate (PEM)".to_owned();
    let mut builder = TlsParameters::builder(host.to_owned());
    if let Some(pem) = &settings.ca {
        if CertificateDer::pem_slice_iter(pem.as_bytes()).next().is_none() {
            return Err(unfit(()));
        }
        let certificate = Certificate::from_pem(pem.as_bytes()).map_err(|_| unfit(()))?;
        builder = builder.certificate_store(CertificateStore::None).add_root_certificate(certificate);
    }
    if settings.tls != Tls::Verify {
        builder = builder.dangerous_accept_invalid_certs(true).dangerous_accept_invalid_hostnames(true);
    }
    builder.build_rustls().map_err(|_| unfit(()))
}

impl Dialogue {
    pub(super) fn new(host: Host, name: &str, smtps: bool, settings: &Settings) -> Result<Self, String> {
        Ok(Self {
            host,
            smtps,
            tls: settings.tls,
            parameters: parameters(settings, name)?,
            login: settings.login.clone().map(|(user, password)| Credentials::new(user, password)),
            hello: ClientId::default(),
        })
    }

    /// Sends a message; the status and words by which it was taken.
    pub(super) async fn send(&self, mail: &Mail, within: Duration) -> Result<(i64, String), Trouble> {
        let mut connection = self.connect(within).await?;
        if let Some(login) = &self.login {
            connection.auth(&MECHANISMS, login).await.map_err(|error| refused("signing in", &error))?;
        }
        let taken = connection.send(&mail.envelope, &mail.bytes).await.map_err(|error| refused("sending", &error))?;
        // It has been taken: how the connection ends changes nothing.
        let _ended = connection.quit().await;
        let words = taken.message().collect::<Vec<_>>().join(" ");
        Ok((i64::from(u16::from(taken.code())), words))
    }

    async fn connect(&self, within: Duration) -> Result<AsyncSmtpConnection, Trouble> {
        let addresses = self.host.addresses().await.map_err(Trouble::Unreachable)?;
        let tls = self.smtps.then(|| self.parameters.clone());
        let connected = AsyncSmtpConnection::connect_tokio1(&addresses[..], Some(within), &self.hello, tls, None).await;
        let mut connection = connected.map_err(|error| refused("connecting", &error))?;
        if self.smtps || self.tls == Tls::Off {
            return Ok(connection);
        }
        if connection.can_starttls() {
            connection.starttls(self.parameters.clone(), &self.hello).await.map_err(|error| refused("encrypting", &error))?;
        } else if self.tls != Tls::Prefer {
            return Err(said_nothing("the server offers no encryption (STARTTLS)"));
        } else if self.login.is_some() {
            return Err(said_nothing("the server offers no encryption, and a password is not sent in clear unless tls is off"));
        }
        Ok(connection)
    }
}

fn said_nothing(words: &str) -> Trouble {
    Trouble::Refused { status: None, words: words.to_owned() }
}

/// lettre's own texts hold the server's words, and no addresses of our network.
fn refused(doing: &str, error: &Error) -> Trouble {
    if let Some(code) = error.status() {
        return Trouble::Refused { status: Some(u16::from(code).into()), words: format!("{doing}: {}", with_causes(error)) };
    }
    let mut causes = std::iter::successors(std::error::Error::source(error), |cause| cause.source());
    match causes.find_map(|cause| cause.downcast_ref::<std::io::Error>()) {
        Some(io) if io.get_ref().is_none() => Trouble::Unreachable(words::of_io(io.kind())),
        _ => Trouble::Unreachable(format!("{doing}: {}", with_causes(error))),
    }
}

fn with_causes(error: &Error) -> String {
    let causes = std::iter::successors(std::error::Error::source(error), |cause| cause.source());
    std::iter::once(error.to_string()).chain(causes.map(ToString::to_string)).fold(String::new(), |all, words| {
        match all.as_str() {
            "" => words,
            known if known.contains(&words) => all,
            _ => format!("{all}: {words}"),
        }
    })
}
