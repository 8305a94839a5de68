//! The life of client packages once more, slow and simple: hour by hour, without a schedule, without a database. What the
//! program does is compared with this.
use std::fmt::Write as _;

/// Hours since the beginning.
pub(super) type Hour = i64;

/// A package's terms and an assignment of it, all in hours and whole units of money.
#[derive(Debug, Clone)]
pub(super) struct Terms {
    pub(super) period: Hour,
    pub(super) advance: Hour,
    pub(super) renew_due: Option<Hour>,
    /// From the assignment on.
    pub(super) start_in: Hour,
    /// From the start on.
    pub(super) stop_in: Option<Hour>,
    pub(super) activation_fee: i64,
    pub(super) period_fee: i64,
    pub(super) quantity: i64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Condition {
    New,
    Activated,
    /// `true`: for want of funds, so that it comes back by itself.
    Deactivated(bool),
    Closed,
}

#[derive(Debug, Clone)]
struct Own {
    terms: Terms,
    start: Hour,
    stop: Option<Hour>,
    condition: Condition,
    paid: (Hour, Hour),
    reason: &'static str,
}

/// A client, its money and its packages.
#[derive(Debug, Default)]
pub(super) struct Oracle {
    now: Hour,
    balance: i64,
    credit: i64,
    out_of_funds: [bool; 2],
    owned: Vec<Own>,
    /// What handlers would be told: name, number of the client package or 0, hour.
    pub(super) events: Vec<(String, usize, Hour)>,
    /// What the ledger says: amount, balance, hour.
    pub(super) ledger: Vec<(i64, i64, Hour)>,
}

impl Oracle {
    /// Lets time pass, and what is due with it happen.
    pub(super) fn pass(&mut self, hours: Hour) {
        for _ in 0..hours {
            self.now += 1;
            self.settle();
        }
    }

    /// Whatever can happen now does.
    pub(super) fn settle(&mut self) {
        for index in 0..self.owned.len() {
            while self.step(index) {}
        }
    }

    pub(super) fn assign(&mut self, terms: Terms) {
        let start = self.now + terms.start_in;
        let stop = terms.stop_in.map(|hours| start + hours);
        self.owned.push(Own { terms, start, stop, condition: Condition::New, paid: (0, 0), reason: "" });
        self.tell("assign", self.owned.len() - 1);
        self.settle();
    }

    pub(super) fn pay(&mut self, amount: i64) {
        self.book(amount);
        self.settle();
    }

    pub(super) fn set_credit(&mut self, credit: i64) {
        let before = [self.balance, self.balance + self.credit];
        if credit != self.credit {
            self.events.push(("clients.update".to_owned(), 0, self.now));
        }
        self.credit = credit;
        self.edges(before);
        self.settle();
    }

    /// True if it may.
    pub(super) fn activate(&mut self, index: usize) -> bool {
        let Own { condition, start, stop, paid, .. } = self.owned[index].clone();
        let may = match condition {
            Condition::New => start <= self.now && self.covers(index, true) && stop.is_none_or(|stop| stop > self.now),
            Condition::Deactivated(_) => paid.1 > self.now || self.covers(index, false),
            _ => false,
        };
        if may {
            self.begin(index, condition == Condition::New);
            self.settle();
        }
        may
    }

    /// True if it may.
    pub(super) fn deactivate(&mut self, index: usize) -> bool {
        let may = self.owned[index].condition == Condition::Activated;
        if may {
            self.off(index, "request", false);
            self.settle();
        }
        may
    }

    /// True if it may.
    pub(super) fn renew(&mut self, index: usize) -> bool {
        let own = &self.owned[index];
        let may = own.condition == Condition::Activated && self.renewal_is_open(index) && self.covers(index, false);
        if may {
            self.next_period(index);
            self.settle();
        }
        may
    }

    /// True if it may.
    pub(super) fn close(&mut self, index: usize) -> bool {
        let may = self.owned[index].condition != Condition::Closed;
        if may {
            self.over(index, "request");
        }
        may
    }

    /// Where each client package stands: condition, paid period, reason.
    pub(super) fn states(&self) -> Vec<String> {
        let state = |own: &Own| {
            let mut text = match own.condition {
                Condition::New => "new".to_owned(),
                Condition::Activated => "activated".to_owned(),
                Condition::Deactivated(_) => "deactivated".to_owned(),
                Condition::Closed => "closed".to_owned(),
            };
            let _ = write!(text, " {}..{} {}", own.paid.0, own.paid.1, own.reason);
            text
        };
        self.owned.iter().map(state).collect()
    }

    fn step(&mut self, index: usize) -> bool {
        let own = self.owned[index].clone();
        let stops = own.stop.is_some_and(|stop| stop <= self.now);
        match own.condition {
            Condition::New if !stops && own.start <= self.now && self.covers(index, true) => self.begin(index, true),
            Condition::New if stops => self.over(index, "stop_dt"),
            Condition::Activated if stops && own.stop.is_some_and(|stop| stop <= own.paid.1) => self.over(index, "stop_dt"),
            Condition::Activated if self.renewal_is_open(index) && self.covers(index, false) => self.next_period(index),
            Condition::Activated if self.renewal_is_open(index) && own.paid.1 <= self.now => {
                self.off(index, "low_balance", true);
            }
            Condition::Deactivated(comes_back) => {
                let expires = own.terms.renew_due.map(|due| own.paid.1 + due);
                let over = [expires, own.stop].into_iter().flatten().min();
                let is_over = over.is_some_and(|over| over <= self.now);
                match () {
                    () if comes_back && !is_over && own.paid.1 <= self.now && self.covers(index, false) => {
                        self.begin(index, false)
                    }
                    () if is_over => self.over(index, if over == expires { "renew_due" } else { "stop_dt" }),
                    () => return false,
                }
            }
            _ => return false,
        }
        true
    }

    fn renewal_is_open(&self, index: usize) -> bool {
        let own = &self.owned[index];
        let opens = own.paid.0.max(own.paid.1 - own.terms.advance);
        opens <= self.now && own.stop.is_none_or(|stop| stop > own.paid.1)
    }

    fn cost(&self, index: usize, with_activation: bool) -> [i64; 2] {
        let terms = &self.owned[index].terms;
        [if with_activation { terms.activation_fee * terms.quantity } else { 0 }, terms.period_fee * terms.quantity]
    }

    fn covers(&self, index: usize, with_activation: bool) -> bool {
        let cost: i64 = self.cost(index, with_activation).iter().sum();
        cost == 0 || self.balance + self.credit >= cost
    }

    fn begin(&mut self, index: usize, first: bool) {
        let own = &mut self.owned[index];
        let is_paid = !first && own.paid.1 > self.now;
        own.condition = Condition::Activated;
        own.reason = "";
        if !is_paid {
            own.paid = (self.now, self.now + own.terms.period);
        }
        self.tell("activate", index);
        if !is_paid {
            self.charge(index, first);
        }
    }

    fn next_period(&mut self, index: usize) {
        let own = &mut self.owned[index];
        own.paid = (own.paid.1, own.paid.1 + own.terms.period);
        self.tell("renew", index);
        self.charge(index, false);
    }

    fn off(&mut self, index: usize, reason: &'static str, comes_back: bool) {
        let own = &mut self.owned[index];
        (own.condition, own.reason) = (Condition::Deactivated(comes_back), reason);
        self.tell("deactivate", index);
    }

    fn over(&mut self, index: usize, reason: &'static str) {
        if self.owned[index].condition == Condition::Activated {
            self.off(index, reason, false);
        }
        let own = &mut self.owned[index];
        (own.condition, own.reason) = (Condition::Closed, reason);
        self.tell("close", index);
    }

    fn tell(&mut self, step: &str, index: usize) {
        self.events.push((format!("clients.packages.{step}"), index + 1, self.now));
    }

    fn charge(&mut self, index: usize, with_activation: bool) {
        let before = [self.balance, self.balance + self.credit];
        for fee in self.cost(index, with_activation).into_iter().filter(|fee| *fee != 0) {
            self.balance -= fee;
            self.ledger.push((-fee, self.balance, self.now));
        }
        self.edges(before);
    }

    fn book(&mut self, amount: i64) {
        let before = [self.balance, self.balance + self.credit];
        self.balance += amount;
        self.ledger.push((amount, self.balance, self.now));
        self.edges(before);
    }

    fn edges(&mut self, before: [i64; 2]) {
        let after = [self.balance, self.balance + self.credit];
        for basis in 0..2 {
            let (old, new, out) = (before[basis], after[basis], self.out_of_funds[basis]);
            let name = match out {
                false if new < old && new <= 0 => "clients.balance_zero",
                true if new > old && new >= 0 => "clients.balance_notzero",
                _ => continue,
            };
            self.out_of_funds[basis] = !out;
            self.events.push((name.to_owned(), 0, self.now));
        }
    }
}
