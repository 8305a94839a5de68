//! A server that is dialled by ourselves rather than by an HTTP client: every address that its name leads to is judged first.
use std::net::{IpAddr, SocketAddr};

use super::{address::Reach, resolver::Resolver};

/// Host and port, and where they may be.
pub(super) struct Host {
    name: String,
    port: u16,
    reach: Reach,
    resolver: Resolver,
}

impl Host {
    pub(super) fn new(name: &str, port: u16, reach: Reach) -> Self {
        Self { name: name.to_owned(), port, resolver: Resolver::new(reach.clone()), reach }
    }

    /// Where it may be dialled.
    ///
    /// # Errors
    /// Why nowhere, in words.
    pub(super) async fn addresses(&self) -> Result<Vec<SocketAddr>, String> {
        let addresses = match self.name.parse::<IpAddr>() {
            Ok(address) => {
                self.reach.check(address).map_err(|forbidden| forbidden.to_string())?;
                vec![address]
            }
            Err(_) => self.resolver.addresses(&self.name).await.map_err(|nowhere| nowhere.to_string())?,
        };
        Ok(addresses.into_iter().map(|address| SocketAddr::new(address, self.port)).collect())
    }
}
