//! Links between work items: each stored once, found from both ends, and logged for the reporting feed.

use std::collections::HashMap;

/// The kind of a link between two work items (`ado-api.md` §9).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LinkKind {
    /// Source: the parent. Kept in the rows, not among [`Links::others`].
    Hierarchy,
    /// Without direction.
    Related,
    /// Source: the predecessor.
    Dependency,
    /// Source: the duplicate.
    Duplicate,
    /// Source: what is tested.
    TestedBy,
}

/// Kind, reference name without direction, names of the link seen from the source and from the target.
const KINDS: &[(LinkKind, &str, &str, &str)] = &[
    (LinkKind::Hierarchy, "System.LinkTypes.Hierarchy", "Child", "Parent"),
    (LinkKind::Related, "System.LinkTypes.Related", "Related", "Related"),
    (LinkKind::Dependency, "System.LinkTypes.Dependency", "Successor", "Predecessor"),
    (LinkKind::Duplicate, "System.LinkTypes.Duplicate", "Duplicate", "Duplicate Of"),
    (LinkKind::TestedBy, "Microsoft.VSTS.Common.TestedBy", "Tested By", "Tests"),
];

impl LinkKind {
    fn row(self) -> (&'static str, &'static str, &'static str) {
        let found = KINDS.iter().find(|(kind, ..)| *kind == self);
        found.map_or(("", "", ""), |(_, reference, forward, reverse)| (reference, forward, reverse))
    }

    /// The reference name without a direction, as the links feed has it (recorded).
    pub fn reference(self) -> &'static str {
        self.row().0
    }

    /// The `rel` of a relation; `forward` on the source's side.
    pub fn rel(self, forward: bool) -> String {
        match (self, forward) {
            (Self::Related, _) => self.reference().to_owned(),
            (_, true) => format!("{}-Forward", self.reference()),
            (_, false) => format!("{}-Reverse", self.reference()),
        }
    }

    /// The name that people see.
    pub fn name(self, forward: bool) -> &'static str {
        let (_, source, target) = self.row();
        if forward { source } else { target }
    }

    /// Kind and direction of a `rel`, compared without case. A name without direction counts as forward.
    pub fn of_rel(rel: &str) -> Option<(Self, bool)> {
        let rel = rel.to_lowercase();
        let (base, forward) = match rel.strip_suffix("-reverse") {
            Some(base) => (base, false),
            None => (rel.strip_suffix("-forward").unwrap_or(&rel), true),
        };
        let found = KINDS.iter().find(|(_, reference, ..)| reference.eq_ignore_ascii_case(base));
        found.map(|(kind, ..)| (*kind, forward || *kind == Self::Related))
    }
}

/// A link as one of its ends sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct End {
    pub kind: LinkKind,
    /// This end is the source.
    pub forward: bool,
    pub other: u32,
    pub comment: Option<String>,
}

impl End {
    /// Source and target, `id` being this end.
    pub fn ends(&self, id: u32) -> (u32, u32) {
        if self.forward { (id, self.other) } else { (self.other, id) }
    }

    /// Whether it is the same link, whatever its comment; Related has no direction.
    pub fn is(&self, other: &Self) -> bool {
        let direction = self.forward == other.forward || self.kind == LinkKind::Related;
        self.kind == other.kind && self.other == other.other && direction
    }
}

/// A change of a link, as the reporting feed gives it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LinkChange {
    pub kind: LinkKind,
    /// Added, else removed.
    pub active: bool,
    pub source: u32,
    pub target: u32,
    /// Milliseconds of the Unix epoch.
    pub changed: i64,
}

/// The links of an organization.
#[derive(Debug, Default)]
pub(crate) struct Links {
    /// By id: the newest child, and the next older child of the same parent; 0 for none.
    first_child: Vec<u32>,
    next_sibling: Vec<u32>,
    /// Links other than those of the hierarchy, seen from both ends.
    others: HashMap<u32, Vec<End>>,
    /// All changes; the place of one, counted from 1, is its watermark.
    log: Vec<LinkChange>,
}

fn at(list: &[u32], id: u32) -> u32 {
    list.get(id as usize).copied().unwrap_or(0)
}

impl Links {
    /// Makes room for a new item and hangs it below its parent, 0 for none.
    pub fn born(&mut self, id: u32, parent: u32, moment: i64) {
        let length = id as usize + 1;
        if self.first_child.len() < length {
            self.first_child.resize(length, 0);
            self.next_sibling.resize(length, 0);
        }
        self.reparent(id, 0, parent, moment);
    }

    /// Moves an item from one parent to another, 0 for none.
    pub fn reparent(&mut self, child: u32, from: u32, to: u32, moment: i64) {
        if from == to {
            return;
        }
        let change =
            |active, source| LinkChange { kind: LinkKind::Hierarchy, active, source, target: child, changed: moment };
        if from != 0 {
            self.forget_child(from, child);
            self.log.push(change(false, from));
        }
        if to != 0 {
            let older = std::mem::replace(&mut self.first_child[to as usize], child);
            self.next_sibling[child as usize] = older;
            self.log.push(change(true, to));
        }
    }

    fn forget_child(&mut self, parent: u32, child: u32) {
        let next = std::mem::take(&mut self.next_sibling[child as usize]);
        if at(&self.first_child, parent) == child {
            self.first_child[parent as usize] = next;
            return;
        }
        let before = self.children(parent).find(|sibling| at(&self.next_sibling, *sibling) == child);
        if let Some(before) = before {
            self.next_sibling[before as usize] = next;
        }
    }

    /// Children of an item, the newest first: relations do not come in the order of adding (recorded).
    pub fn children(&self, id: u32) -> impl Iterator<Item = u32> {
        let some = |id: u32| Some(id).filter(|id| *id != 0);
        std::iter::successors(some(at(&self.first_child, id)), move |child| some(at(&self.next_sibling, *child)))
    }

    /// Links of an item outside the hierarchy.
    pub fn others(&self, id: u32) -> impl Iterator<Item = End> {
        self.others.get(&id).map_or(&[][..], Vec::as_slice).iter().cloned()
    }

    /// Adds a link outside the hierarchy.
    pub fn add(&mut self, id: u32, end: End, moment: i64) {
        let (source, target) = end.ends(id);
        let back = End { forward: !end.forward, other: id, ..end.clone() };
        self.log.push(LinkChange { kind: end.kind, active: true, source, target, changed: moment });
        self.others.entry(end.other).or_default().push(back);
        self.others.entry(id).or_default().push(end);
    }

    /// Removes a link outside the hierarchy; false if there is no such link.
    pub fn remove(&mut self, id: u32, end: &End, moment: i64) -> bool {
        let Some(own) = self.others.get_mut(&id) else { return false };
        let Some(found) = own.iter().position(|candidate| candidate.is(end)) else { return false };
        // As it was added: Related is logged with the ends in the same order.
        let end = own.remove(found);
        let back = End { forward: !end.forward, other: id, comment: None, kind: end.kind };
        if let Some(theirs) = self.others.get_mut(&end.other)
            && let Some(found) = theirs.iter().position(|candidate| candidate.is(&back))
        {
            theirs.remove(found);
        }
        let (source, target) = end.ends(id);
        self.log.push(LinkChange { kind: end.kind, active: false, source, target, changed: moment });
        true
    }

    /// Removes all links of an item outside the hierarchy.
    pub fn remove_all(&mut self, id: u32, moment: i64) {
        for end in self.others(id).collect::<Vec<_>>() {
            self.remove(id, &end, moment);
        }
    }

    /// The watermark of the newest change.
    pub fn newest(&self) -> u32 {
        u32::try_from(self.log.len()).unwrap_or(u32::MAX)
    }

    /// Changes behind a watermark with theirs, oldest first.
    pub fn changes_after(&self, watermark: u32) -> impl Iterator<Item = (u32, &LinkChange)> {
        self.log.iter().zip(1u32..).skip(watermark as usize).map(|(change, watermark)| (watermark, change))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn related(other: u32) -> End {
        End { kind: LinkKind::Related, forward: true, other, comment: None }
    }

    #[test]
    fn children_are_found_wherever_they_stand_among_their_siblings() {
        let mut links = Links::default();
        for id in 1..=5 {
            links.born(id, u32::from(id != 1), 0);
        }
        let children = |links: &Links| links.children(1).collect::<Vec<_>>();
        assert_eq!(children(&links), [5, 4, 3, 2]);
        for (gone, left) in [(4, vec![5, 3, 2]), (5, vec![3, 2]), (2, vec![3])] {
            links.reparent(gone, 1, 0, 1);
            assert_eq!(children(&links), left);
        }
        links.reparent(4, 0, 3, 2);
        assert_eq!(links.children(3).collect::<Vec<_>>(), [4]);
        let log: Vec<_> = links.changes_after(4).map(|(_, change)| (change.target, change.active)).collect();
        assert_eq!(log, [(4, false), (5, false), (2, false), (4, true)]);
    }

    #[test]
    fn a_link_is_one_thing_from_both_ends() {
        let mut links = Links::default();
        links.add(1, related(2), 7);
        assert_eq!(links.others(2).next().map(|end| end.other), Some(1));
        assert!(links.remove(2, &related(1), 8), "Related has no direction");
        assert!(!links.remove(1, &related(2), 9));
        assert_eq!((links.others(1).count(), links.others(2).count()), (0, 0));
        let log: Vec<_> = links.changes_after(0).map(|(_, change)| (change.source, change.active)).collect();
        assert_eq!(log, [(1, true), (1, false)]);
    }

    #[test]
    fn reference_names_are_read_with_their_direction() {
        for (rel, expected) in [
            ("System.LinkTypes.Hierarchy-Reverse", Some((LinkKind::Hierarchy, false))),
            ("microsoft.vsts.common.testedby-forward", Some((LinkKind::TestedBy, true))),
            ("System.LinkTypes.Related", Some((LinkKind::Related, true))),
            ("System.LinkTypes.Remote-Forward", None),
        ] {
            assert_eq!(LinkKind::of_rel(rel), expected, "{rel}");
        }
        assert_eq!(LinkKind::TestedBy.rel(false), "Microsoft.VSTS.Common.TestedBy-Reverse");
    }
}
