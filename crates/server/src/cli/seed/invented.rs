//! What is made up about one client: plausible at a glance, real to nobody (`example` names, documentation addresses), and
//! unique over the system, as the tag of the run is in everything that must be.
use serde_json::{Value, json};

use super::packages::Fate;

const FIRST: [&str; 12] =
    ["Meridian", "Northern", "Blue", "Cedar", "Harbour", "Summit", "Copper", "Silver", "Atlas", "Polar", "Delta", "Orchard"];
const SECOND: [&str; 8] = ["Telecom", "Voice", "Networks", "Carrier", "Connect", "Dial", "Exchange", "Lines"];
const CITIES: [(&str, &str); 8] = [
    ("Riga", "LV"),
    ("Porto", "PT"),
    ("Graz", "AT"),
    ("Ghent", "BE"),
    ("Tampere", "FI"),
    ("Brno", "CZ"),
    ("Leeds", "GB"),
    ("Lyon", "FR"),
];
const CREDITS: [u64; 5] = [0, 0, 50, 100, 500];
/// One in so many is stopped.
const STOPPED_ONE_IN: u64 = 20;
/// Name, period, what is charged once and each time.
const PACKAGES: [(&str, &str, u32, u32); 4] =
    [("Basic", "P1M", 0, 5), ("Plus", "P1M", 10, 15), ("Flat", "P1Y", 0, 120), ("Day pass", "P1D", 0, 1)];

/// One client's inventions, in an order that depends on nothing but the tag and his number.
pub(super) struct Invented {
    tag: u32,
    number: u32,
    state: u64,
}

impl Invented {
    pub(super) fn new(tag: u32, number: u32) -> Self {
        let seed = (u64::from(tag) << 32) | u64::from(number);
        // Neighbouring numbers must not begin alike; zero would stay zero.
        Self { tag, number, state: seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1 }
    }

    /// Xorshift: good enough to look mixed.
    fn below(&mut self, bound: u64) -> u64 {
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        (self.state >> 16) % bound.max(1)
    }

    fn pick<T: Copy>(&mut self, among: &[T]) -> T {
        let at = self.below(among.len() as u64);
        among[usize::try_from(at).unwrap_or(0)]
    }

    fn unique(&self) -> String {
        format!("{:08x}-{}", self.tag, self.number)
    }

    pub(super) fn client(&mut self) -> Value {
        let (first, second) = (self.pick(&FIRST), self.pick(&SECOND));
        let (city, country) = self.pick(&CITIES);
        let status = if self.below(STOPPED_ONE_IN) == 0 { "stopped" } else { "active" };
        json!({
            "name": format!("{first} {second} {}", self.unique()),
            "status": status,
            "credit": self.pick(&CREDITS),
            "c_email": format!("billing@{}.example", self.unique()),
            "c_city": city,
            "c_country": country,
            "tags": ["seed"],
        })
    }

    /// The packages of a run.
    pub(super) fn packages(tag: u32) -> Vec<Value> {
        let package = |(name, period, activation_fee, period_fee)| {
            json!({
                "name": format!("{name} {tag:08x}"),
                "period": period,
                "activation_fee": activation_fee,
                "period_fee": period_fee,
            })
        };
        PACKAGES.into_iter().map(package).collect()
    }

    /// Any of them; `None` if there are none.
    pub(super) fn one_of(&mut self, values: &[Value]) -> Option<Value> {
        let at = usize::try_from(self.below(values.len() as u64)).ok()?;
        values.get(at).cloned()
    }

    /// What becomes of a client package: of ten, eight begin at once.
    pub(super) fn fate(&mut self) -> Fate {
        match self.below(10) {
            0 => Fate::Later,
            1 => Fate::Closed,
            _ => Fate::Now,
        }
    }

    /// Every third is known by its name, its number, its address.
    pub(super) fn account(&mut self, clients_id: &Value, index: u32) -> Value {
        let (unique, number) = (format!("{}-{index}", self.unique()), self.number);
        let mut account = json!({"clients_id": clients_id, "name": format!("line {}", index + 1)});
        match (number + index) % 3 {
            0 => {
                account["auth_type"] = "name".into();
                account["accname"] = unique.into();
                account["password"] = format!("{:016x}", self.below(u64::MAX)).into();
            }
            1 => {
                account["auth_type"] = "ani".into();
                account["ani"] = format!("{:010}{number:07}{index:04}", self.tag).into();
            }
            _ => {
                let halves = |number: u32| format!("{:x}:{:x}", number >> 16, number & 0xffff);
                account["auth_type"] = "ip".into();
                account["ips"] = json!([format!("2001:db8:{}:{}:{}", halves(self.tag), halves(number), halves(index))]);
            }
        }
        account
    }

    /// Payments and charges in turn, a payment first; charges outweigh, so that some balances cross zero.
    pub(super) fn transaction(&mut self, clients_id: &Value, index: u32) -> Value {
        let (kind, sign, most) = if index.is_multiple_of(2) { ("payment", "", 100) } else { ("charge", "-", 120) };
        // As digits: an amount never passes through a binary float.
        let amount = format!("{sign}{}.{:02}", 1 + self.below(most), self.below(100));
        let amount: Value = amount.parse().unwrap_or_default();
        json!({"clients_id": clients_id, "type": kind, "amount": amount, "notes": "seed"})
    }
}

#[cfg(test)]
mod tests {
    use hookswitch_model::nets;

    use super::*;

    #[test]
    fn what_must_be_unique_is() {
        let mut seen = std::collections::HashSet::new();
        for (tag, number) in [(1, 0), (1, 1), (1, 2), (2, 0), (2, 1), (u32::MAX, 999_999)] {
            let mut invented = Invented::new(tag, number);
            assert!(seen.insert(invented.client()["name"].clone()));
            for index in 0..4 {
                let account = invented.account(&json!(1), index);
                let key = ["accname", "ani", "ips"].into_iter().find(|key| !account[key].is_null()).unwrap();
                assert!(seen.insert(account[key].clone()), "{account}");
                assert!(key != "ips" || nets::read(account["ips"][0].as_str().unwrap()).is_some(), "{account}");
            }
        }
    }

    #[test]
    fn the_same_number_of_the_same_run_is_the_same_client() {
        let client = || Invented::new(7, 9).client();
        assert_eq!(client(), client());
    }

    #[test]
    fn amounts_are_exact() {
        let transaction = Invented::new(7, 9).transaction(&json!(1), 1);
        let amount = transaction["amount"].to_string();
        assert!(amount.starts_with('-') && amount.split_once('.').is_some_and(|(_, cents)| cents.len() == 2), "{amount}");
    }
}
