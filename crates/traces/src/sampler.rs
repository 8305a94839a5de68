//! Which traces are recorded. A caller's own decision counts, unless the setting says that it doesn't; for what begins here its id
//! decides, so that the same is recorded on every node and after every restart.
use hookswitch_model::trace::Trace;

/// The bits of a trace id that are random whoever made it: the last seven bytes (W3C Trace Context, level 2).
const RANDOM_BITS: u32 = 56;

/// As `OTEL_TRACES_SAMPLER` and `OTEL_TRACES_SAMPLER_ARG` say.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Sampler {
    /// What begins here is recorded if its random bits are below this.
    below: u64,
    /// What was begun elsewhere follows its caller.
    follows: bool,
}

impl Default for Sampler {
    fn default() -> Self {
        Self { below: 1 << RANDOM_BITS, follows: true }
    }
}

impl Sampler {
    /// By its name and argument.
    ///
    /// # Errors
    /// What they must be.
    pub(crate) fn read(name: &str, argument: Option<&str>) -> Result<Self, String> {
        let (own, follows) = name.strip_prefix("parentbased_").map_or((name, false), |own| (own, true));
        let ratio = match own {
            "always_on" => 1.0,
            "always_off" => 0.0,
            "traceidratio" => ratio(argument.unwrap_or("1"))?,
            _ => {
                return Err(
                    "OTEL_TRACES_SAMPLER must be always_on, always_off or traceidratio, or one of these behind parentbased_"
                        .to_owned(),
                );
            }
        };
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "from 0 to 2^56")]
        let below = (ratio * (1_u64 << RANDOM_BITS) as f64) as u64;
        Ok(Self { below, follows })
    }

    /// True if a trace that begins here is recorded.
    pub(crate) fn begins(self, trace: Trace) -> bool {
        let id = u128::from_be_bytes(trace.id());
        #[expect(clippy::cast_possible_truncation, reason = "the last bits are what is asked for")]
        let random = id as u64 & ((1 << RANDOM_BITS) - 1);
        random < self.below
    }

    /// True if what a caller has begun is recorded here.
    pub(crate) fn within(self, given: Trace) -> bool {
        if self.follows { given.is_sampled() } else { self.begins(given) }
    }
}

fn ratio(text: &str) -> Result<f64, String> {
    let read = text.trim().parse().ok().filter(|ratio| (0.0..=1.0).contains(ratio));
    read.ok_or_else(|| "OTEL_TRACES_SAMPLER_ARG must be a number from 0 to 1".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn share(name: &str, argument: Option<&str>) -> usize {
        let sampler = Sampler::read(name, argument).unwrap();
        (0..2_000).filter(|_| sampler.begins(Trace::new())).count()
    }

    #[test]
    fn a_ratio_is_what_it_says() {
        assert_eq!((share("always_on", None), share("always_off", None), share("traceidratio", None)), (2_000, 0, 2_000));
        let quarter = share("parentbased_traceidratio", Some("0.25"));
        assert!((350..650).contains(&quarter), "{quarter}");
        for (name, argument) in [("sometimes", None), ("traceidratio", Some("2")), ("traceidratio", Some("x"))] {
            assert!(Sampler::read(name, argument).is_err());
        }
    }

    #[test]
    fn a_caller_is_followed_unless_the_name_says_otherwise() {
        let given = Trace::new().child();
        let not = given.sampled_if(false);
        for (name, within) in
            [("parentbased_always_off", (true, false)), ("always_on", (true, true)), ("always_off", (false, false))]
        {
            let sampler = Sampler::read(name, None).unwrap();
            assert_eq!((sampler.within(given), sampler.within(not)), within, "{name}");
        }
    }
}
