//! Clients are divided into 256 shards by the last bits of their id: what is owned is a shard, so that a million clients are
//! handed from one node to another in one statement.

/// How many there are.
pub const SHARDS: usize = 256;

/// One of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Shard(u8);

impl Shard {
    /// Whoever owns this one does what is done once for all nodes.
    pub const LEADERS: Self = Self(0);

    /// A client's, or anything else's that has an id.
    #[must_use]
    pub fn of(id: i64) -> Self {
        Self(id.to_le_bytes()[0])
    }

    /// By its number; `None` if there is no such shard.
    #[must_use]
    pub fn numbered(number: i64) -> Option<Self> {
        u8::try_from(number).ok().map(Self)
    }

    /// Its number.
    #[must_use]
    pub fn number(self) -> i64 {
        i64::from(self.0)
    }

    pub(crate) fn index(self) -> usize {
        usize::from(self.0)
    }

    /// All of them, in order.
    pub fn all() -> impl DoubleEndedIterator<Item = Self> {
        (0..=u8::MAX).map(Self)
    }
}

/// Some of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Shards([u64; SHARDS / 64]);

impl Shards {
    /// None.
    pub const NONE: Self = Self([0; SHARDS / 64]);
    /// All.
    pub const ALL: Self = Self([u64::MAX; SHARDS / 64]);

    /// Whether this one is among them.
    #[must_use]
    pub fn contains(&self, shard: Shard) -> bool {
        self.0[shard.index() / 64] >> (shard.index() % 64) & 1 == 1
    }

    /// Adds one.
    pub fn insert(&mut self, shard: Shard) {
        self.0[shard.index() / 64] |= 1 << (shard.index() % 64);
    }

    /// Takes one away.
    pub fn remove(&mut self, shard: Shard) {
        self.0[shard.index() / 64] &= !(1 << (shard.index() % 64));
    }

    /// How many.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.iter().map(|word| word.count_ones() as usize).sum()
    }

    /// True if there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::NONE
    }

    /// Those that are in both.
    #[must_use]
    pub fn and(&self, other: &Self) -> Self {
        Self(std::array::from_fn(|word| self.0[word] & other.0[word]))
    }

    /// Those that are not in the other.
    #[must_use]
    pub fn without(&self, other: &Self) -> Self {
        Self(std::array::from_fn(|word| self.0[word] & !other.0[word]))
    }

    /// In order.
    pub fn iter(&self) -> impl Iterator<Item = Shard> {
        Shard::all().filter(|shard| self.contains(*shard))
    }

    pub(crate) fn words(&self) -> &[u64; SHARDS / 64] {
        &self.0
    }

    pub(crate) fn of_words(words: [u64; SHARDS / 64]) -> Self {
        Self(words)
    }
}

impl FromIterator<Shard> for Shards {
    fn from_iter<T: IntoIterator<Item = Shard>>(shards: T) -> Self {
        let mut all = Self::NONE;
        shards.into_iter().for_each(|shard| all.insert(shard));
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clients_shard_is_the_last_byte_of_its_id() {
        for id in [0, 1, 255, 256, 4_711, i64::MAX] {
            assert_eq!(Shard::of(id).number(), id & 255);
        }
        assert_eq!(Shard::numbered(256), None);
    }

    #[test]
    fn sets_hold_what_was_put_in() {
        let odd: Shards = Shard::all().filter(|shard| shard.number() % 2 == 1).collect();
        assert!(odd.len() == 128 && odd.iter().all(|shard| shard.number() % 2 == 1));
        let mut rest = Shards::ALL.without(&odd);
        assert!(rest.and(&odd).is_empty() && rest.contains(Shard::of(0)));
        rest.insert(Shard::of(255));
        rest.remove(Shard::of(0));
        assert!(rest.len() == 128 && rest.contains(Shard::of(255)) && !rest.contains(Shard::LEADERS));
    }
}
