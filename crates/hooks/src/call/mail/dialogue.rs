//! The dialogue with a mail server: one connection a message.
use std::{io, sync::Arc, time::Duration};

use lettre::transport::smtp::{
    Error,
    authentication::{Credentials, Mechanism},
    client::{AsyncSmtpConnection, AsyncTokioStream},
    commands::{Data, Mail as MailFrom, Rcpt},
    extension::{ClientId, Extension, MailParameter},
    response::Response,
};
use rustls::{ClientConfig, pki_types::ServerName};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use super::{
    super::{configured::settings::Tls, host::Host, tls, words},
    bounded::Bounded,
    message::Mail,
    settings::Settings,
    starttls::Starttls,
};

const MECHANISMS: [Mechanism; 2] = [Mechanism::Plain, Mechanism::Login];
/// For a farewell that nobody waits for.
const QUIT_WITHIN: Duration = Duration::from_secs(2);

/// Whom to talk to, and how.
pub(super) struct Dialogue {
    host: Host,
    name: String,
    tls: Tls,
    way: Way,
    login: Option<Credentials>,
    hello: ClientId,
}

/// When it is encrypted.
enum Way {
    /// From the first byte on.
    Smtps(TlsConnector),
    /// Once the server has said that it can.
    Smtp(Starttls),
}

/// Why a message was not taken.
pub(super) enum Trouble {
    /// There was nobody to talk to.
    Unreachable(String),
    /// The server said no, or something that is no answer.
    Refused { status: Option<i64>, words: String },
}

impl Dialogue {
    pub(super) fn new(host: Host, place: &super::Place, settings: &Settings, shared: &ClientConfig) -> Result<Self, String> {
        let way = match place.smtps {
            true => Way::Smtps(TlsConnector::from(Arc::new(configuration(settings, shared)?))),
            false => Way::Smtp(Starttls::new(settings, &place.host)?),
        };
        let login = settings.login.clone().map(|(user, password)| Credentials::new(user, password));
        Ok(Self { host, name: place.host.clone(), tls: settings.tls, way, login, hello: ClientId::default() })
    }

    /// Sends a message; the status and words by which it was taken.
    pub(super) async fn send(&self, mail: &Mail) -> Result<(i64, String), Trouble> {
        let mut connection = self.connect().await?;
        if let Some(login) = &self.login {
            connection.auth(&MECHANISMS, login).await.map_err(|error| refused("signing in", &error))?;
        }
        let taken = hand_over(&mut connection, mail).await?;
        // It has been taken: how the connection ends changes nothing, and nobody waits for that.
        tokio::spawn(async move { tokio::time::timeout(QUIT_WITHIN, connection.quit()).await });
        let words = taken.message().collect::<Vec<_>>().join(" ");
        Ok((i64::from(u16::from(taken.code())), words))
    }

    async fn connect(&self) -> Result<AsyncSmtpConnection, Trouble> {
        let addresses = self.host.addresses().await.map_err(Trouble::Unreachable)?;
        let unreachable = |error: io::Error| Trouble::Unreachable(words::of_io(error.kind()));
        let stream = TcpStream::connect(&addresses[..]).await.map_err(unreachable)?;
        let peer = stream.peer_addr().map_err(unreachable)?;
        match &self.way {
            Way::Smtps(connector) => {
                let name = ServerName::try_from(self.name.clone());
                let name =
                    name.map_err(|_| Trouble::Unreachable("the host is no name that a certificate can have".to_owned()))?;
                let stream = connector.connect(name, stream).await;
                let stream = stream.map_err(|error| Trouble::Unreachable(format!("the TLS connection failed: {error}")))?;
                self.greeted(Box::new(Bounded::new(stream, peer))).await
            }
            Way::Smtp(starttls) => {
                let mut connection = self.greeted(Box::new(Bounded::new(stream, peer))).await?;
                self.encrypt(&mut connection, starttls).await?;
                Ok(connection)
            }
        }
    }

    async fn greeted(&self, stream: Box<dyn AsyncTokioStream>) -> Result<AsyncSmtpConnection, Trouble> {
        let connected = AsyncSmtpConnection::connect_with_transport(stream, &self.hello).await;
        connected.map_err(|error| refused("connecting", &error))
    }

    async fn encrypt(&self, connection: &mut AsyncSmtpConnection, starttls: &Starttls) -> Result<(), Trouble> {
        if self.tls == Tls::Off {
            return Ok(());
        }
        if connection.can_starttls() {
            let encrypted = connection.starttls(starttls.parameters(), &self.hello).await;
            return encrypted.map_err(|error| refused("encrypting", &error));
        }
        match (self.tls, &self.login) {
            (Tls::Prefer, None) => Ok(()),
            (Tls::Prefer, Some(_)) => {
                Err(said_nothing("the server offers no encryption, and a password is not sent in clear unless tls is off"))
            }
            _ => Err(said_nothing("the server offers no encryption (STARTTLS)")),
        }
    }
}

/// `verify` in its two meanings, or whoever answers.
fn configuration(settings: &Settings, shared: &ClientConfig) -> Result<ClientConfig, String> {
    let mut config = match (settings.tls, &settings.ca) {
        (Tls::Verify, Some(pem)) => tls::of_roots(pem)?,
        (Tls::Verify, None) => shared.clone(),
        _ => tls::of_anybody(shared),
    };
    config.alpn_protocols.clear();
    Ok(config)
}

/// Command by command: lettre's own way says farewell before it tells of a refusal, and waits for an answer to that.
async fn hand_over(connection: &mut AsyncSmtpConnection, mail: &Mail) -> Result<Response, Trouble> {
    let sending = |error: Error| refused("sending", &error);
    let is_plain =
        mail.envelope.from().into_iter().chain(mail.envelope.to()).all(|address| AsRef::<str>::as_ref(address).is_ascii());
    let parameters = match (is_plain, connection.server_info().supports_feature(Extension::SmtpUtfEight)) {
        (true, _) => Vec::new(),
        (false, true) => vec![MailParameter::SmtpUtfEight],
        (false, false) => return Err(said_nothing("an address has letters that the server does not take (SMTPUTF8)")),
    };
    connection.command(MailFrom::new(mail.envelope.from().cloned(), parameters)).await.map_err(sending)?;
    for address in mail.envelope.to() {
        connection.command(Rcpt::new(address.clone(), Vec::new())).await.map_err(sending)?;
    }
    connection.command(Data).await.map_err(sending)?;
    connection.message(&mail.bytes).await.map_err(sending)
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
    match causes.find_map(|cause| cause.downcast_ref::<io::Error>()) {
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
