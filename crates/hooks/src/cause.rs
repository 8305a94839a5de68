//! `Hookswitch-Cause`: how we know that a handler is reacting to an event, so that it can't call itself for ever.
//!
//! The header is `<event.id>.<handlers_id>.<mac>`. A handler that calls our API copies it. It is made and read without
//! anything being kept: the mac says that it is ours, and the event's id, a UUID v7, says when it began. A false or
//! an old one is ignored, as if it had not been sent: a handler must not fail because of it.
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit as _, Mac as _};
use hookswitch_model::moment::Moment;
use sha2::Sha256;
use subtle::ConstantTimeEq as _;
use uuid::Uuid;

/// How long a cause is good for.
pub const GOOD_FOR_MS: i64 = 24 * 60 * 60 * 1_000;

/// Half of the mac: 128 bits that can only be guessed against a running server.
const MAC_BYTES: usize = 16;

/// Longer headers are not looked at: a UUID, an i64, the mac, two dots.
const HEADER_BYTES_MAX: usize = 36 + 20 + 22 + 2;

/// Makes and reads causes; cheap to clone.
#[derive(Clone)]
pub struct Causes(Hmac<Sha256>);

impl Causes {
    /// With a key that all nodes have in common. A key of its own is derived from it, so the same key may serve
    /// other purposes too.
    #[must_use]
    pub fn new(key: &[u8]) -> Self {
        let derived = keyed(key).chain_update(b"hookswitch/cause/1").finalize().into_bytes();
        Self(keyed(&derived))
    }

    /// The header of a call about this event to this handler.
    #[must_use]
    pub fn header(&self, event_id: Uuid, handlers_id: i64) -> String {
        let mut header = format!("{event_id}.{handlers_id}");
        let mac = self.mac(&header);
        header.push('.');
        URL_SAFE_NO_PAD.encode_string(mac, &mut header);
        header
    }

    /// What a header names: the event, and the handler that reacts to it. `None` if it is false or too old.
    #[must_use]
    pub fn read(&self, header: &str, now: Moment) -> Option<(Uuid, i64)> {
        if header.len() > HEADER_BYTES_MAX {
            return None;
        }
        let (named, mac) = header.trim().rsplit_once('.')?;
        let mac = URL_SAFE_NO_PAD.decode(mac).ok()?;
        if !bool::from(mac.as_slice().ct_eq(&self.mac(named))) {
            return None;
        }
        let (event_id, handlers_id) = named.split_once('.')?;
        let event_id = Uuid::parse_str(event_id).ok()?;
        let fresh = now.millis_since(began(event_id)?) <= GOOD_FOR_MS;
        fresh.then_some((event_id, handlers_id.parse().ok()?))
    }

    fn mac(&self, named: &str) -> [u8; MAC_BYTES] {
        let whole = self.0.clone().chain_update(named.as_bytes()).finalize().into_bytes();
        let mut mac = [0; MAC_BYTES];
        mac.copy_from_slice(&whole[..MAC_BYTES]);
        mac
    }
}

fn keyed(key: &[u8]) -> Hmac<Sha256> {
    #[allow(clippy::expect_used)]
    Hmac::new_from_slice(key).expect("HMAC takes keys of any length")
}

/// When an event began, by its id.
fn began(event_id: Uuid) -> Option<Moment> {
    let (seconds, nanos) = event_id.get_timestamp()?.to_unix();
    Some(Moment(i64::try_from(seconds).ok()?.checked_mul(1_000_000)?.checked_add(i64::from(nanos / 1_000))?))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const BEGAN_MS: i64 = 1_795_900_447_123;

    fn event_id() -> Uuid {
        uuid::Builder::from_unix_timestamp_millis(BEGAN_MS.unsigned_abs(), &[7; 10]).into_uuid()
    }

    fn after_ms(ms: i64) -> Moment {
        Moment::from_millis(BEGAN_MS + ms)
    }

    #[test]
    fn a_cause_is_read_back_for_24_hours() {
        let causes = Causes::new(b"key");
        let header = causes.header(event_id(), 7);
        assert_eq!(causes.read(&header, after_ms(0)), Some((event_id(), 7)));
        assert_eq!(causes.read(&format!(" {header}"), after_ms(GOOD_FOR_MS)), Some((event_id(), 7)));
        assert_eq!(causes.read(&header, after_ms(GOOD_FOR_MS + 1)), None);
        // Clocks of several nodes differ a little.
        assert_eq!(causes.read(&header, after_ms(-500)), Some((event_id(), 7)));
    }

    #[test]
    fn a_cause_is_good_on_every_node_with_the_key_and_on_no_other() {
        let header = Causes::new(b"key").header(event_id(), 7);
        assert!(Causes::new(b"key").read(&header, after_ms(0)).is_some());
        assert!(Causes::new(b"another").read(&header, after_ms(0)).is_none());
    }

    #[test]
    fn a_cause_for_one_handler_is_none_for_another() {
        let causes = Causes::new(b"key");
        let header = causes.header(event_id(), 7);
        assert_eq!(causes.read(&header.replace(".7.", ".8."), after_ms(0)), None);
    }

    #[test]
    fn an_id_without_a_time_is_never_good() {
        let causes = Causes::new(b"key");
        let header = causes.header(Uuid::from_u128(4 << 76 | 1 << 63), 7);
        assert_eq!(causes.read(&header, after_ms(0)), None);
    }

    proptest! {
        #[test]
        fn whatever_is_sent_as_a_cause_is_ignored_unless_it_is_ours(text in "\\PC{0,120}") {
            prop_assert_eq!(Causes::new(b"key").read(&text, after_ms(0)), None);
        }

        #[test]
        fn a_changed_cause_is_ignored(at in 0usize..60, to in "[0-9a-f.-]") {
            let causes = Causes::new(b"key");
            let header = causes.header(event_id(), 7);
            let mut changed = header.clone();
            changed.replace_range(at..=at, &to);
            prop_assert_eq!(causes.read(&changed, after_ms(0)).is_some(), changed == header);
        }
    }
}
