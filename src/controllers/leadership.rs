//! One leader among the replicas, by a Lease.
//!
//! Small and of our own: the published crates for it need an older kube. Time is judged by how long the Lease has not
//! changed before our own eyes, never by comparing clocks of two machines. Fencing is the store's: each term of office
//! has an epoch that is higher than all before.

use std::time::Duration;

use jiff::Timestamp;
use k8s_openapi::api::coordination::v1::{Lease, LeaseSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::MicroTime;
use kube::api::PostParams;
use kube::{Api, Client};
use tokio::time::error::Elapsed;
use tokio::time::{Instant, sleep, timeout};
use tracing::{info, warn};

use super::error::said;

/// A Lease that was not renewed for so long is free.
const LEASE_DURATION: Duration = Duration::from_secs(15);

/// Longest time that a Lease is believed to ask for: what it says is somebody's input.
const LONGEST_DURATION: Duration = Duration::from_mins(1);

/// The leader gives up when it could not renew for so long, well before the Lease is free for others.
const RENEW_DEADLINE: Duration = Duration::from_secs(10);

/// Pause between two looks at the Lease.
const RETRY_PERIOD: Duration = Duration::from_secs(2);

/// The Lease and the name by which this replica stands in it.
#[derive(Clone)]
pub struct Candidate {
    api: Api<Lease>,
    name: String,
    identity: String,
}

/// A term of office.
pub struct Term {
    candidate: Candidate,
    lease: Lease,
    /// When the Lease was last written for sure: before the request was sent, since others count from the write.
    renewed: Instant,
    /// Higher than that of every earlier term.
    pub epoch: i64,
}

/// What a candidate does about the Lease as it is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Move {
    Create,
    Take,
    Wait,
}

/// Decides by the Lease and by how long it has been as it is.
fn decide(lease: Option<&Lease>, identity: &str, unchanged_for: Duration) -> Move {
    let Some(lease) = lease else { return Move::Create };
    let spec = lease.spec.clone().unwrap_or_default();
    let holder = spec.holder_identity.unwrap_or_default();
    let duration = spec.lease_duration_seconds.and_then(|seconds| u64::try_from(seconds).ok());
    let duration = duration.map(|seconds| seconds.min(LONGEST_DURATION.as_secs()));
    let free = holder.is_empty()
        || holder == identity
        || unchanged_for >= duration.map_or(LEASE_DURATION, Duration::from_secs);
    if free { Move::Take } else { Move::Wait }
}

impl Candidate {
    /// A candidate for the Lease of that name. The client must not retry on its own: a write that comes late must not come
    /// at all.
    pub fn new(client: Client, namespace: &str, name: &str, identity: &str) -> Self {
        Self { api: Api::namespaced(client, namespace), name: name.to_owned(), identity: identity.to_owned() }
    }

    /// Waits until this replica leads. The epoch of the term is higher than `floor`.
    pub async fn elected(&self, floor: i64) -> Term {
        let mut seen: (Option<String>, Instant) = (None, Instant::now());
        loop {
            match timeout(RENEW_DEADLINE, self.try_once(floor, &mut seen)).await {
                Ok(Ok(Some(term))) => return term,
                Ok(Ok(None)) => {}
                Ok(Err(error)) => warn!(error = said(&error), lease = self.name, "the Lease could not be had"),
                Err(_) => warn!(lease = self.name, "the apiserver did not answer about the Lease in time"),
            }
            sleep(RETRY_PERIOD).await;
        }
    }

    async fn try_once(&self, floor: i64, seen: &mut (Option<String>, Instant)) -> kube::Result<Option<Term>> {
        let found = self.api.get_opt(&self.name).await?;
        let version = found.as_ref().and_then(|lease| lease.metadata.resource_version.clone());
        if version != seen.0 {
            *seen = (version, Instant::now());
        }
        let sent = Instant::now();
        let written = match decide(found.as_ref(), &self.identity, seen.1.elapsed()) {
            Move::Wait => return Ok(None),
            Move::Create => {
                let mut lease = Lease::default();
                lease.metadata.name = Some(self.name.clone());
                lease.spec = Some(self.spec(None, floor));
                self.api.create(&PostParams::default(), &lease).await
            }
            Move::Take => {
                let mut lease = found.unwrap_or_default();
                lease.spec = Some(self.spec(lease.spec.as_ref(), floor));
                self.api.replace(&self.name, &PostParams::default(), &lease).await
            }
        };
        match written {
            Ok(lease) => Ok(Some(self.term(lease, floor, sent))),
            Err(kube::Error::Api(status)) if status.code == 409 => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn term(&self, lease: Lease, floor: i64, renewed: Instant) -> Term {
        let epoch = epoch(&lease, floor);
        info!(lease = self.name, identity = self.identity, epoch, "this replica leads");
        Term { candidate: self.clone(), lease, renewed, epoch }
    }

    fn spec(&self, before: Option<&LeaseSpec>, floor: i64) -> LeaseSpec {
        let transitions = before.and_then(|spec| spec.lease_transitions).map_or(0, |count| count.saturating_add(1));
        let now = MicroTime(Timestamp::now());
        LeaseSpec {
            holder_identity: Some(self.identity.clone()),
            lease_duration_seconds: Some(i32::try_from(LEASE_DURATION.as_secs()).unwrap_or(i32::MAX)),
            lease_transitions: Some(transitions.max(i32::try_from(floor).unwrap_or(i32::MAX))),
            acquire_time: Some(now.clone()),
            renew_time: Some(now),
            ..LeaseSpec::default()
        }
    }
}

/// The Lease counts its holders, up to what its field can hold; what the store has seen counts on.
fn epoch(lease: &Lease, floor: i64) -> i64 {
    let transitions = lease.spec.as_ref().and_then(|spec| spec.lease_transitions).unwrap_or_default();
    i64::from(transitions).max(floor) + 1
}

impl Term {
    /// Renews for as long as it can. Returns when the office is lost.
    pub async fn hold(&mut self) {
        while self.renewed.elapsed() < RENEW_DEADLINE {
            sleep(RETRY_PERIOD.min(RENEW_DEADLINE.saturating_sub(self.renewed.elapsed()))).await;
            let (left, sent) = (RENEW_DEADLINE.saturating_sub(self.renewed.elapsed()), Instant::now());
            match timeout(left, self.renew()).await {
                Ok(Ok(())) => self.renewed = sent,
                Ok(Err(kube::Error::Api(status))) if status.code == 409 && self.still_ours().await => {}
                Ok(Err(kube::Error::Api(status))) if status.code == 409 || status.code == 404 => return,
                Ok(Err(error)) => warn!(error = said(&error), "the Lease could not be renewed"),
                Err(_) => {}
            }
        }
    }

    async fn renew(&mut self) -> kube::Result<()> {
        if let Some(spec) = &mut self.lease.spec {
            spec.renew_time = Some(MicroTime(Timestamp::now()));
        }
        self.lease = self.candidate.api.replace(&self.candidate.name, &PostParams::default(), &self.lease).await?;
        Ok(())
    }

    /// Whether the Lease is still in our name: the answer to a renewal may have been lost, and the next one is a conflict.
    async fn still_ours(&mut self) -> bool {
        let found = timeout(RETRY_PERIOD, self.candidate.api.get(&self.candidate.name)).await;
        let Ok(Ok(found)) = found else { return false };
        let held =
            |lease: &Lease| lease.spec.as_ref().map(|spec| (spec.holder_identity.clone(), spec.lease_transitions));
        let ours = held(&found) == held(&self.lease);
        if ours {
            self.lease = found;
        }
        ours
    }

    /// Hands the Lease back, once nothing is done in its name any more: an empty holder lets the next candidate in at once.
    pub async fn resign(mut self) {
        let mut written = self.hand_back().await;
        // A renewal that was broken off may have arrived all the same.
        if matches!(&written, Ok(Err(kube::Error::Api(status))) if status.code == 409) && self.still_ours().await {
            written = self.hand_back().await;
        }
        match written {
            Ok(Ok(_)) => {}
            Ok(Err(error)) => warn!(error = said(&error), "the Lease could not be handed back"),
            Err(_) => warn!("the Lease could not be handed back in time"),
        }
    }

    async fn hand_back(&self) -> Result<kube::Result<Lease>, Elapsed> {
        let mut lease = self.lease.clone();
        if let Some(spec) = &mut lease.spec {
            spec.holder_identity = Some(String::new());
        }
        timeout(RETRY_PERIOD, self.candidate.api.replace(&self.candidate.name, &PostParams::default(), &lease)).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn held_by(holder: &str) -> Lease {
        let spec = LeaseSpec {
            holder_identity: Some(holder.into()),
            lease_duration_seconds: Some(15),
            ..LeaseSpec::default()
        };
        Lease { spec: Some(spec), ..Lease::default() }
    }

    #[test]
    fn a_lease_that_does_not_exist_is_created() {
        assert_eq!(decide(None, "a", Duration::ZERO), Move::Create);
    }

    #[test]
    fn a_lease_of_another_is_taken_only_after_it_was_left_alone_for_its_duration() {
        assert_eq!(decide(Some(&held_by("b")), "a", Duration::from_secs(14)), Move::Wait);
        assert_eq!(decide(Some(&held_by("b")), "a", Duration::from_secs(15)), Move::Take);
    }

    #[test]
    fn every_term_has_an_epoch_of_its_own_although_the_lease_can_count_no_further() {
        let mut lease = held_by("a");
        let transitions = |lease: &mut Lease, count| {
            if let Some(spec) = &mut lease.spec {
                spec.lease_transitions = Some(count);
            }
        };
        assert_eq!(epoch(&lease, 0), 1);
        transitions(&mut lease, 7);
        assert_eq!((epoch(&lease, 3), epoch(&lease, 9)), (8, 10));
        transitions(&mut lease, i32::MAX);
        let last = epoch(&lease, 0);
        assert_eq!(epoch(&lease, last), last + 1);
    }

    #[test]
    fn a_lease_that_was_handed_back_or_is_our_own_is_taken_at_once() {
        assert_eq!(decide(Some(&held_by("")), "a", Duration::ZERO), Move::Take);
        assert_eq!(decide(Some(&held_by("a")), "a", Duration::ZERO), Move::Take);
    }
}
