//! A port that nobody else will be given. Whoever starts another program must choose its port some time before that binds it, and by
//! then a server or a recorder of another test might have been given the same.
use std::{fs::File, net::TcpListener, ops::Range};

/// Ports that the kernel gives to nobody who asks for any.
const PORTS: Range<u16> = 20_000..30_000;

/// A port of this machine that no other test has, in whatever process.
#[derive(Debug)]
pub struct Port {
    /// Which one.
    pub number: u16,
    /// Locked as long as it is open.
    _lock: File,
}

impl Port {
    /// Looks for one.
    ///
    /// # Panics
    /// When all are taken.
    #[must_use]
    pub fn take() -> Self {
        let folder = std::env::temp_dir().join("hookswitch-test-ports");
        std::fs::create_dir_all(&folder).expect("a folder for locks");
        let start = u16::try_from(std::process::id() % 10_000).expect("below 10,000");
        for step in 0..10_000_u16 {
            let number = PORTS.start + (start + step) % 10_000;
            let lock = File::create(folder.join(number.to_string())).expect("a file to lock");
            if lock.try_lock().is_ok() && TcpListener::bind(("127.0.0.1", number)).is_ok() {
                return Self { number, _lock: lock };
            }
        }
        panic!("no port between {} and {} is free", PORTS.start, PORTS.end);
    }
}
