//! Golden cases: projects small enough to work the outcome out on paper, for trees × sources × processes. The outcomes
//! were written by hand; the operator's mapping and the oracle must both give them.

mod bugs;
mod nodes;
mod paths;
mod tiers;

use crate::ours;
use crate::small::{Answer, Small, names};

/// One line of the table. What is left empty is left out of the spec.
#[derive(Clone, Copy)]
struct Case {
    name: &'static str,
    process: &'static str,
    /// `bugsBehavior`.
    bugs: &'static str,
    /// Indented lines, below the root `Payments`.
    tree: &'static str,
    /// The nodes of the team's list of iterations.
    board: Option<&'static str>,
    release: &'static str,
    sprint: &'static str,
    full_path: bool,
    /// Types of `pullRequirements`; `off` before them switches the toggle off.
    pulls: &'static str,
    /// Types of `bugMapping`, likewise.
    maps: &'static str,
    /// Divided by `;`: `2 User Story @S1 <1` is item 2, on node S1, below item 1.
    items: &'static str,
    /// Either `Error` and the field of the spec, or lines: types of requirements, types of bugs with their tier, and how
    /// many of each are pulled; releases, sprints each with its release; items each with its release and sprint;
    /// warnings, if there are any.
    outcome: &'static str,
}

/// Bugs on no level, nothing in the spec, and an outcome that no mapping gives.
const AGILE: Case = Case {
    name: "",
    process: "Agile",
    bugs: "off",
    tree: RELEASES,
    board: None,
    release: "",
    sprint: "",
    full_path: false,
    pulls: "",
    maps: "",
    items: "",
    outcome: "",
};

/// There the bug category counts as empty, so that a case without *Bug Mapping* is the usual one.
const BASIC: Case = Case { process: "Basic", maps: "off", ..AGILE };

const RELEASES: &str = "
R1 01-01..03-31
  S1 01-01..01-31
  S2 02-01..02-28
R2 04-01..06-30
  S3 04-01..04-30
";

const YEARS: &str = "
2026
  R1 01-01..03-31
    S1 01-01..01-31
    S2 02-01..02-28
  R2 04-01..06-30
    S3 04-01..04-30
";

const FLAT: &str = "
S1 01-01..01-31
S2 02-01..02-28
S3 03-01..03-31
";

/// Two teams that number their sprints alike.
const TEAMS: &str = "
Web
  S1
  S2
App
  S1
";

impl Case {
    fn small(&self) -> Small {
        let small = Small::with_bugs(self.process, self.bugs, self.tree);
        let small = [("pullRequirements", self.pulls), ("bugMapping", self.maps)].into_iter().fold(small, toggle);
        let small = small.release(self.release).sprint(self.sprint).items(self.items);
        let small = if self.full_path { small.spec("iterationMapping/fullPath", true.into()) } else { small };
        match self.board {
            Some(board) => small.team(board),
            None => small,
        }
    }

    fn expected(&self) -> String {
        let lines = self.outcome.lines().map(str::trim).filter(|line| !line.is_empty());
        lines.collect::<Vec<_>>().join(" · ")
    }
}

fn toggle(small: Small, (block, value): (&str, &str)) -> Small {
    let (is_off, types) = value.strip_prefix("off").map_or((false, value), |types| (true, types));
    let small = if is_off { small.spec(&format!("{block}/enabled"), false.into()) } else { small };
    let types = names(types);
    if types.is_empty() { small } else { small.spec(&format!("{block}/workItemTypes"), types.into()) }
}

/// An answer in the words of [`Case::outcome`].
fn told(answer: &Answer) -> String {
    if let Some(field) = answer.refused() {
        return format!("Error {field}");
    }
    let (requirements, bugs) = (answer.count("requirement"), answer.count("bug"));
    let mut lines = vec![
        format!("{}; {}; {requirements}+{bugs}", answer.requirement_types(), answer.bug_types()),
        format!("releases {}; sprints {}", answer.releases(), answer.sprints()),
        answer.spots(),
    ];
    if answer.warnings() != "-" {
        lines.push(format!("warns {}", answer.warnings()));
    }
    lines.join(" · ")
}

#[test]
fn both_mappings_give_the_outcomes_that_were_written_by_hand() {
    let mut wrong = Vec::new();
    for case in [nodes::CASES, paths::CASES, tiers::CASES, bugs::CASES].into_iter().flatten() {
        let small = case.small();
        let (ours, theirs) = (small.map_by(ours::map), small.map_by(mapping_oracle::map));
        let (expected, told_by_us, told_by_oracle) = (case.expected(), told(&ours), told(&theirs));
        let is_right = expected == told_by_us && expected == told_by_oracle && ours.value == theirs.value;
        println!("{}", line(case, &expected, is_right));
        if !is_right {
            wrong.push(format!(
                "{}\n  expected {expected}\n  ours     {told_by_us}\n  oracle   {told_by_oracle}",
                case.name
            ));
        }
    }
    assert!(wrong.is_empty(), "{} cases:\n{}", wrong.len(), wrong.join("\n"));
}

/// Case, process, bugs, release, sprint, names, outcome, verdict.
fn line(case: &Case, expected: &str, is_right: bool) -> String {
    let or_default = |source: &'static str| if source.is_empty() { "left out" } else { source };
    format!(
        "{:<62} | {:<9} | {:<14} | release {:<24} | sprint {:<24} | {} | {expected} | {}",
        case.name,
        case.process,
        case.bugs,
        or_default(case.release),
        or_default(case.sprint),
        if case.full_path { "full path" } else { "leaf     " },
        if is_right { "ok" } else { "WRONG" },
    )
}
