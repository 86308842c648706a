//! Releases and sprints by `Paths`, and releases that dates give to sprints.

use super::{AGILE, BASIC, Case, FLAT, RELEASES, TEAMS, YEARS};

/// Releases and sprints side by side; only dates join them.
const SIDE_BY_SIDE: &str = "
Releases
  R1 01-01..03-31
  R2 04-01..06-30
  LTS 01-01..12-31
Sprints
  S1 01-01..01-31
  S2 03-20..04-10
  S3 04-05..04-30
  S4
";

const HALF_DATED: &str = "
Releases
  R1 01-01..
  R2 01-01..03-31
Sprints
  S1 01-01..03-31
  S2 03-31..04-01
  S3 03-31..03-31
  S4 02-01..
";

/// A release below what is a sprint.
const TURNED: &str = "
S1 01-01..01-31
  R1
R2 01-01..03-31
";

pub(super) const CASES: &[Case] = &[
    Case {
        name: "one release by its path, sprints left out",
        release: r"Paths Payments\R1",
        items: "1 User Story @S1; 2 User Story @S3; 3 Bug @R2",
        outcome: "User Story; Bug no tier; 2+1
                  releases R1; sprints S1 in R1, S2 in R1, S3
                  1 R1/S1, 2 -/S3, 3 -/-",
        ..AGILE
    },
    Case {
        name: "a star stands for one whole level",
        process: "Scrum",
        bugs: "asTasks",
        tree: YEARS,
        release: r"Paths Payments\2026\*",
        sprint: r"Paths Payments\2026\*\*",
        full_path: true,
        items: "1 Product Backlog Item @S2; 2 Bug @R2; 3 Bug @2026",
        outcome: r"Product Backlog Item; Bug tier 4; 1+2
                   releases Payments\2026\R1, Payments\2026\R2; sprints Payments\2026\R1\S1 in R1, Payments\2026\R1\S2 in R1, Payments\2026\R2\S3 in R2
                   1 R1/S2, 2 R2/-, 3 -/-",
        ..AGILE
    },
    Case {
        name: "a star in the middle",
        process: "CMMI",
        tree: TEAMS,
        sprint: r"Paths Payments\*\S1",
        items: r"1 Requirement @S2; 2 Requirement @App\S1",
        outcome: r"Requirement; Bug no tier; 2+0
                   releases Web, App; sprints S1 in Web, S1 in App
                   1 Web/-, 2 App/App\S1
                   warns EqualNames sprint S1",
        ..AGILE
    },
    Case {
        name: "a release left out never takes a node of the sprint's paths",
        tree: "
R1
  S1
Sprints
  S2
Backlog
",
        sprint: r"Paths Payments\Sprints, Payments\*\*",
        items: "1 User Story @S2; 2 User Story @Sprints; 3 Bug @S1; 4 Bug @Backlog",
        outcome: "User Story; Bug no tier; 2+2
                  releases R1, Backlog; sprints S1 in R1, Sprints, S2
                  1 -/S2, 2 -/Sprints, 3 R1/S1, 4 Backlog/-",
        ..AGILE
    },
    Case {
        name: "a node that both name is a release, with a warning",
        release: r"Paths Payments\R1",
        sprint: r"Paths payments\r1, Payments\R1\S1",
        items: "1 User Story @S1; 2 User Story @S2; 3 User Story @R1",
        outcome: r"User Story; Bug no tier; 3+0
                   releases R1; sprints S1 in R1
                   1 R1/S1, 2 R1/-, 3 R1/-
                   warns NamedTwice Payments\R1",
        ..AGILE
    },
    Case {
        name: "a node that one names and the other's star meets",
        process: "Scrum",
        release: r"Paths Payments\*",
        sprint: r"Paths Payments\R1, Payments\R1\*",
        items: "1 Product Backlog Item @S1; 2 Product Backlog Item @S3",
        outcome: "Product Backlog Item; Bug no tier; 2+0
                  releases R1, R2; sprints S1 in R1, S2 in R1
                  1 R1/S1, 2 R2/-",
        ..AGILE
    },
    Case {
        name: "a release that does not exist",
        release: r"Paths Payments\R1, Payments\R9",
        outcome: "Error spec.iterationMapping.release.paths",
        ..AGILE
    },
    Case {
        name: "what stands before a star must exist",
        sprint: r"Paths Payments\2025\*",
        outcome: "Error spec.iterationMapping.sprint.paths",
        ..AGILE
    },
    Case {
        name: "a star that matches nothing",
        sprint: r"Paths Payments\R1\S1\*",
        items: "1 User Story @S1",
        outcome: "User Story; Bug no tier; 1+0
                  releases R1, R2; sprints -
                  1 R1/-
                  warns MatchesNothing sprint",
        ..AGILE
    },
    Case {
        name: "the root is a release where a path names it",
        release: "Paths Payments",
        sprint: "Depth 2",
        items: "1 Issue @Payments; 2 Issue @R1; 3 Issue @S3",
        outcome: "Issue; -; 3+0
                  releases Payments; sprints S1 in Payments, S2 in Payments, S3 in Payments
                  1 Payments/-, 2 Payments/-, 3 Payments/S3",
        ..BASIC
    },
    Case {
        name: "sprints of a flat tree by paths",
        tree: FLAT,
        release: "None",
        sprint: r"Paths Payments\*",
        items: "1 Issue @S3; 2 Issue @Payments",
        outcome: "Issue; -; 2+0
                  releases -; sprints S1, S2, S3
                  1 -/S3, 2 -/-",
        ..BASIC
    },
    Case {
        name: "a flat tree is warned of even where paths leave it a sprint",
        tree: FLAT,
        sprint: r"Paths Payments\S1",
        items: "1 User Story @S1; 2 User Story @S2",
        outcome: "User Story; Bug no tier; 2+0
                  releases S2, S3; sprints S1
                  1 -/S1, 2 S2/-
                  warns ReleasesTakeAll",
        ..AGILE
    },
    Case {
        name: "a star in place of the root",
        process: "Scrum",
        release: r"Paths *\R1",
        sprint: "None",
        items: "1 Product Backlog Item @S2; 2 Bug @S3",
        outcome: "Product Backlog Item; Bug no tier; 1+1
                  releases R1; sprints -
                  1 R1/-, 2 -/-",
        ..AGILE
    },
    Case {
        name: "a flat tree is warned of even where paths make all of it sprints",
        tree: FLAT,
        sprint: r"Paths Payments\*",
        items: "1 User Story @S1; 2 User Story @S2",
        outcome: "User Story; Bug no tier; 2+0
                  releases -; sprints S1, S2, S3
                  1 -/S1, 2 -/S2
                  warns ReleasesTakeAll",
        ..AGILE
    },
    Case {
        name: "a flat tree with releases of a board, sprints left out",
        tree: FLAT,
        board: Some("S1"),
        release: "TeamBoard",
        items: "1 User Story @S1; 2 User Story @S2",
        outcome: "User Story; Bug no tier; 2+0
                  releases S1; sprints -
                  1 S1/-, 2 -/-
                  warns MatchesNothing sprint, ReleasesTakeAll",
        ..AGILE
    },
    Case {
        name: "dates join a sprint to the one release that contains it",
        tree: SIDE_BY_SIDE,
        release: r"Paths Payments\Releases\R1, Payments\Releases\R2",
        sprint: r"Paths Payments\Sprints\*",
        items: "1 User Story @S1; 2 User Story @S2; 3 Bug @S3; 4 Bug @S4; 5 Bug @R1",
        outcome: "User Story; Bug no tier; 2+3
                  releases R1, R2; sprints S1 in R1, S2, S3 in R2, S4
                  1 R1/S1, 2 -/S2, 3 R2/S3, 4 -/S4, 5 R1/-",
        ..AGILE
    },
    Case {
        name: "two releases that contain a sprint give it none",
        process: "Inherited",
        bugs: "asTasks",
        tree: SIDE_BY_SIDE,
        release: r"Paths Payments\Releases\*",
        sprint: r"Paths Payments\Sprints\*",
        items: "1 Story @S1; 2 Defect @S2",
        outcome: "Spike, Story; Defect tier 5; 1+1
                  releases R1, R2, LTS; sprints S1, S2 in LTS, S3, S4
                  1 -/S1, 2 LTS/S2",
        ..AGILE
    },
    Case {
        name: "intervals are inclusive and half-dated nodes contain nothing",
        process: "CMMI",
        bugs: "asRequirements",
        tree: HALF_DATED,
        release: r"Paths Payments\Releases\*",
        sprint: r"Paths Payments\Sprints\*",
        items: "1 Requirement @S1; 2 Requirement @S2; 3 Bug @S3",
        outcome: "Requirement; Bug tier 3; 2+1
                  releases R1, R2; sprints S1 in R2, S2, S3 in R2, S4
                  1 R2/S1, 2 -/S2, 3 R2/S3",
        ..AGILE
    },
    Case {
        name: "an item takes the release of its sprint, even on another",
        tree: TURNED,
        release: r"Paths Payments\S1\R1, Payments\R2",
        sprint: r"Paths Payments\S1",
        items: "1 User Story @R1; 2 User Story @S1; 3 Bug @R2",
        outcome: r"User Story; Bug no tier; 2+1
                   releases R1, R2; sprints S1 in R2
                   1 R2/S1, 2 R2/S1, 3 R2/-
                   warns SprintAboveRelease Payments\S1",
        ..AGILE
    },
    Case {
        name: "an item of a sprint without a release keeps its own",
        tree: TURNED,
        release: r"Paths Payments\S1\R1",
        sprint: r"Paths Payments\S1",
        items: "1 User Story @R1; 2 User Story @S1; 3 Bug @R2",
        outcome: r"User Story; Bug no tier; 2+1
                   releases R1; sprints S1
                   1 R1/S1, 2 -/S1, 3 -/-
                   warns SprintAboveRelease Payments\S1",
        ..AGILE
    },
    Case {
        name: "releases below sprints by depth",
        process: "Scrum",
        release: "Depth 2",
        sprint: "Depth 1",
        items: "1 Product Backlog Item @S1; 2 Bug @R2",
        outcome: r"Product Backlog Item; Bug no tier; 1+1
                   releases S1, S2, S3; sprints R1, R2
                   1 S1/R1, 2 -/R2
                   warns SprintAboveRelease Payments\R1, SprintAboveRelease Payments\R2",
        tree: RELEASES,
        ..AGILE
    },
];
