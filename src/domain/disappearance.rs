//! Items that vanish in masses. Absence is no proof of deletion: rights that were withdrawn look just the same.

use uuid::Uuid;

use super::verdict::Cause;
use crate::api::{CONFIRM_DISAPPEARANCE, Reason};

/// So many items may vanish at a time without anybody being asked.
const FEW: u64 = 20;

/// So many of a hundred items may vanish at a time without anybody being asked.
const SMALL_SHARE: u64 = 10;

/// Items that are to be seen no more, without evidence that they were deleted, and too many to be hidden for that.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Disappearance {
    /// How many.
    pub vanished: u64,
    /// Of how many that were present.
    pub of: u64,
    /// What a person confirms: another set of items has another id.
    pub id: Uuid,
}

impl Disappearance {
    /// Judges items that vanished without evidence, by rising ids, among so many that were present. None: they may be hidden,
    /// since they are few, or since a person has confirmed just these.
    pub fn judge(vanished: &[u32], present: u64, confirmed: Option<Uuid>) -> Option<Self> {
        let count = u64::try_from(vanished.len()).unwrap_or(u64::MAX);
        let is_mass = count > FEW && count.saturating_mul(100) > present.saturating_mul(SMALL_SHARE);
        let found = Self { vanished: count, of: present, id: id(vanished) };
        (is_mass && confirmed != Some(found.id)).then_some(found)
    }

    /// What the project config of that namespace and name shows. The names of Kubernetes are short enough for a message.
    pub fn cause(&self, namespace: &str, name: &str) -> Cause {
        let Self { vanished, of, id } = self;
        let message = format!(
            "{vanished} of {of} work items are not to be seen any more, and nothing tells that they were deleted; none \
             of them is hidden. Either rights were withdrawn from the credential (an area, the project), or the items \
             were destroyed. Restore the rights: that is noticed within 10 minutes. If the items are gone for good, \
             confirm it: kubectl annotate adoprojectconfig {name} --namespace {namespace} --overwrite \
             {CONFIRM_DISAPPEARANCE}={id}"
        );
        Cause::new(Reason::MassDisappearance, message)
    }
}

fn id(items: &[u32]) -> Uuid {
    let bytes: Vec<u8> = items.iter().flat_map(|id| id.to_be_bytes()).collect();
    Uuid::new_v5(&Uuid::NAMESPACE_OID, &bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::MESSAGE_LIMIT;

    fn judge(vanished: u32, present: u64) -> Option<Disappearance> {
        Disappearance::judge(&(1..=vanished).collect::<Vec<_>>(), present, None)
    }

    #[test]
    fn it_takes_more_than_a_tenth_and_more_than_twenty() {
        for (vanished, present) in [(0, 0), (20, 20), (20, 1), (21, 210), (100, 1_000), (100_000, 1_000_000)] {
            assert_eq!(judge(vanished, present), None, "{vanished} of {present}");
        }
        for (vanished, present) in [(21, 21), (21, 209), (101, 1_000), (100_001, 1_000_000)] {
            let found = judge(vanished, present).map(|found| (found.vanished, found.of));
            assert_eq!(found, Some((vanished.into(), present)), "{vanished} of {present}");
        }
    }

    #[test]
    fn a_person_confirms_one_set_of_items_and_no_other() {
        let set: Vec<u32> = (1..=30).collect();
        let id = judge(30, 100).expect("a mass").id;
        assert_eq!(Disappearance::judge(&set, 100, Some(id)), None);
        assert_eq!(Disappearance::judge(&set, 300, Some(id)), None);
        let others: [Vec<u32>; 3] = [(1..=29).collect(), (1..=31).collect(), (2..=31).collect()];
        for other in others {
            let found = Disappearance::judge(&other, 100, Some(id)).expect("not confirmed");
            assert_ne!(found.id, id);
        }
    }

    #[test]
    fn the_message_tells_how_many_why_and_what_to_do_and_fits() {
        let most = Disappearance { vanished: u64::MAX, of: u64::MAX, id: Uuid::max() };
        let Cause { reason, message } = most.cause(&"s".repeat(63), &"n".repeat(253));
        assert_eq!(reason, Reason::MassDisappearance);
        assert!(message.chars().count() <= MESSAGE_LIMIT, "{}", message.chars().count());
        let found = judge(30, 100).expect("a mass");
        let message = found.cause("testops", "payments").message;
        assert!(message.starts_with("30 of 100 work items"), "{message}");
        let command = format!(
            "kubectl annotate adoprojectconfig payments --namespace testops --overwrite \
             ado.testops.dev/confirmDisappearance={}",
            found.id
        );
        assert!(message.ends_with(&command), "{message}");
    }
}
