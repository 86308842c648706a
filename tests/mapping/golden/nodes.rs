//! Releases and sprints by `Depth`, by a team's board, and what is left out.

use super::{AGILE, BASIC, Case, FLAT, RELEASES, TEAMS, YEARS};

pub(super) const CASES: &[Case] = &[
    Case {
        name: "left out, release is depth 1 and sprint depth 2",
        items: "1 User Story @S1; 2 Bug @R1; 3 User Story @Payments; 4 Task @S1",
        outcome: "User Story; Bug no tier; 2+1
                  releases R1, R2; sprints S1 in R1, S2 in R1, S3 in R2
                  1 R1/S1, 2 R1/-, 3 -/-",
        ..AGILE
    },
    Case {
        name: "names are full paths",
        process: "Scrum",
        bugs: "asRequirements",
        full_path: true,
        items: "1 Product Backlog Item @S3; 2 Bug @S1; 3 Impediment @S1",
        outcome: r"Product Backlog Item; Bug tier 3; 1+1
                   releases Payments\R1, Payments\R2; sprints Payments\R1\S1 in R1, Payments\R1\S2 in R1, Payments\R2\S3 in R2
                   1 R2/S3, 2 R1/S1",
        ..AGILE
    },
    Case {
        name: "beside a release at depth 2 the sprint is depth 3",
        process: "CMMI",
        bugs: "asTasks",
        tree: YEARS,
        release: "Depth 2",
        items: "1 Requirement @S1; 2 Bug @2026; 3 Change Request @S1; 4 Requirement @R2",
        outcome: "Requirement; Bug tier 4; 2+1
                  releases R1, R2; sprints S1 in R1, S2 in R1, S3 in R2
                  1 R1/S1, 2 -/-, 4 R2/-",
        ..AGILE
    },
    Case {
        name: "beside a sprint at depth 3 the release is depth 2",
        process: "Inherited",
        bugs: "asRequirements",
        tree: YEARS,
        sprint: "Depth 3",
        items: "1 Story @S2; 2 Defect @S3; 3 Spike @2026",
        outcome: "Spike, Story; Defect tier 4; 2+1
                  releases R1, R2; sprints S1 in R1, S2 in R1, S3 in R2
                  1 R1/S2, 2 R2/S3, 3 -/-",
        ..AGILE
    },
    Case {
        name: "beside a sprint at depth 1 there is no release",
        tree: FLAT,
        sprint: "Depth 1",
        items: "1 Issue @S2; 2 Issue @Payments",
        outcome: "Issue; -; 2+0
                  releases -; sprints S1, S2, S3
                  1 -/S2, 2 -/-",
        ..BASIC
    },
    Case {
        name: "a flat tree has releases and a warning",
        tree: FLAT,
        items: "1 Issue @S1",
        outcome: "Issue; -; 1+0
                  releases S1, S2, S3; sprints -
                  1 S1/-
                  warns MatchesNothing sprint, ReleasesTakeAll",
        ..BASIC
    },
    Case {
        name: "a flat tree without releases has sprints and no warning",
        tree: FLAT,
        board: Some("S1, S3"),
        release: "None",
        sprint: "TeamBoard",
        items: "1 Issue @S1; 2 Issue @S2; 3 Epic @S3",
        outcome: "Issue; -; 2+0
                  releases -; sprints S1, S3
                  1 -/S1, 2 -/-",
        ..BASIC
    },
    Case {
        name: "a level between a release and its sprints is neither",
        process: "Scrum",
        tree: YEARS,
        release: "Depth 1",
        sprint: "Depth 3",
        items: "1 Product Backlog Item @R1; 2 Bug @S3",
        outcome: "Product Backlog Item; Bug no tier; 1+1
                  releases 2026; sprints S1 in 2026, S2 in 2026, S3 in 2026
                  1 2026/-, 2 2026/S3",
        ..AGILE
    },
    Case {
        name: "releases that take every node of the sprint source",
        tree: YEARS,
        release: "Depth 2",
        sprint: "Depth 2",
        items: "1 User Story @S1; 2 Bug @2026",
        outcome: "User Story; Bug no tier; 1+1
                  releases R1, R2; sprints -
                  1 R1/-, 2 -/-
                  warns ReleasesTakeAll",
        ..AGILE
    },
    Case {
        name: "a depth that the tree has not",
        release: "Depth 4",
        sprint: "Depth 2",
        items: "1 User Story @S1",
        outcome: "User Story; Bug no tier; 1+0
                  releases -; sprints S1, S2, S3
                  1 -/S1
                  warns MatchesNothing release",
        ..AGILE
    },
    Case {
        name: "no sprints, asked for",
        sprint: "None",
        items: "1 User Story @S1; 2 Bug @R2",
        outcome: "User Story; Bug no tier; 1+1
                  releases R1, R2; sprints -
                  1 R1/-, 2 R2/-",
        ..AGILE
    },
    Case {
        name: "without releases the sprint is depth 2 still",
        release: "None",
        items: "1 User Story @S3; 2 User Story @R2",
        outcome: "User Story; Bug no tier; 2+0
                  releases -; sprints S1, S2, S3
                  1 -/S3, 2 -/-",
        ..AGILE
    },
    Case {
        name: "sprints of a team's board, releases left out",
        process: "CMMI",
        bugs: "asRequirements",
        board: Some("S1, S3"),
        sprint: "TeamBoard",
        items: "1 Requirement @S2; 2 Bug @S3; 3 Requirement @S1",
        outcome: "Requirement; Bug tier 3; 2+1
                  releases R1, R2; sprints S1 in R1, S3 in R2
                  1 R1/-, 2 R2/S3, 3 R1/S1",
        ..AGILE
    },
    Case {
        name: "releases of a team's board, sprints left out",
        bugs: "asTasks",
        board: Some("R1"),
        release: "TeamBoard",
        items: "1 User Story @S1; 2 Bug @S3; 3 User Story @R2",
        outcome: "User Story; Bug tier 4; 2+1
                  releases R1; sprints S1 in R1, S2 in R1, S3
                  1 R1/S1, 2 -/S3, 3 -/-",
        ..AGILE
    },
    Case {
        name: "a team without iterations",
        board: Some(""),
        sprint: "TeamBoard",
        items: "1 User Story @S1",
        outcome: "User Story; Bug no tier; 1+0
                  releases R1, R2; sprints -
                  1 R1/-
                  warns MatchesNothing sprint",
        ..AGILE
    },
    Case {
        name: "the root on a team's board is no sprint",
        board: Some("Payments, S1"),
        sprint: "TeamBoard",
        items: "1 User Story @R2; 2 User Story @Payments; 3 User Story @S1",
        outcome: "User Story; Bug no tier; 3+0
                  releases R1, R2; sprints S1 in R1
                  1 R2/-, 2 -/-, 3 R1/S1",
        ..AGILE
    },
    Case {
        name: "a release on a team's board is a release only",
        board: Some("R1, S1"),
        sprint: "TeamBoard",
        items: "1 User Story @R1; 2 Bug @S2; 3 Bug @S1",
        outcome: "User Story; Bug no tier; 1+2
                  releases R1, R2; sprints S1 in R1
                  1 R1/-, 2 R1/-, 3 R1/S1",
        ..AGILE
    },
    Case {
        name: "a flat tree whose board is taken by the releases left out",
        tree: FLAT,
        board: Some("S1, S2"),
        sprint: "TeamBoard",
        items: "1 User Story @S1",
        outcome: "User Story; Bug no tier; 1+0
                  releases S1, S2, S3; sprints -
                  1 S1/-
                  warns ReleasesTakeAll",
        ..AGILE
    },
    Case {
        name: "equal leaf names stay two records",
        tree: TEAMS,
        items: r"1 User Story @Web\S1; 2 Bug @App\S1",
        outcome: r"User Story; Bug no tier; 1+1
                   releases Web, App; sprints S1 in Web, S2 in Web, S1 in App
                   1 Web/Web\S1, 2 App/App\S1
                   warns EqualNames sprint S1",
        ..AGILE
    },
    Case {
        name: "equal leaf names under full paths need no warning",
        tree: TEAMS,
        full_path: true,
        items: r"1 User Story @App\S1",
        outcome: r"User Story; Bug no tier; 1+0
                   releases Payments\Web, Payments\App; sprints Payments\Web\S1 in Web, Payments\Web\S2 in Web, Payments\App\S1 in App
                   1 App/App\S1",
        ..AGILE
    },
    Case {
        name: "equal leaf names of releases",
        tree: "
2025
  R1
2026
  R1
    S1
",
        release: "Depth 2",
        items: r"1 User Story @S1; 2 User Story @2025\R1",
        outcome: r"User Story; Bug no tier; 2+0
                   releases R1, R1; sprints S1 in 2026\R1
                   1 2026\R1/S1, 2 2025\R1/-
                   warns EqualNames release R1",
        ..AGILE
    },
    Case {
        name: "the tree gives a sprint its release before dates do",
        tree: "
R1 01-01..01-31
  S1 02-01..02-10
R2 02-01..02-28
",
        items: "1 User Story @S1",
        outcome: "User Story; Bug no tier; 1+0
                  releases R1, R2; sprints S1 in R1
                  1 R1/S1",
        ..AGILE
    },
    Case {
        name: "both toggles off use no iterations",
        pulls: "off",
        maps: "off",
        tree: RELEASES,
        items: "1 User Story @S1",
        outcome: "-; -; 0+0
                  releases -; sprints -
                  -",
        ..AGILE
    },
];
