//! Releases and sprints by the iteration of an item's ancestor.

use super::{AGILE, BASIC, Case};

pub(super) const CASES: &[Case] = &[
    Case {
        name: "the release is where the epic is",
        release: "Tier 1",
        items: "1 Epic @R1; 2 Feature @R2 <1; 3 User Story @S3 <2; 4 Bug @S1 <3; 5 User Story @S2",
        outcome: "User Story; Bug no tier; 2+1
                  releases R1; sprints S1, S2, S3
                  3 R1/S3, 4 R1/S1, 5 -/S2",
        ..AGILE
    },
    Case {
        name: "one sprint stands under several releases",
        process: "Scrum",
        release: "Tier 2",
        items: "1 Feature @R1; 2 Feature @R2; 3 Product Backlog Item @S1 <1; 4 Product Backlog Item @S1 <2",
        outcome: "Product Backlog Item; Bug no tier; 2+0
                  releases R1, R2; sprints S1, S2, S3
                  3 R1/S1, 4 R2/S1",
        ..AGILE
    },
    Case {
        name: "the item itself is looked at first",
        release: "Tier 2",
        pulls: "Feature, User Story",
        items: "1 Feature @R1; 2 Feature @R2 <1; 3 User Story @S1 <2",
        outcome: "Feature, User Story; Bug no tier; 3+0
                  releases R1, R2; sprints S1, S2, S3
                  1 R1/-, 2 R2/-, 3 R2/S1",
        ..AGILE
    },
    Case {
        name: "a bug as a task is its own tier 4",
        bugs: "asTasks",
        sprint: "Tier 4",
        items: "1 Bug @S1; 2 User Story @S2; 3 Task @S2; 4 Bug @S3 <3",
        outcome: "User Story; Bug tier 4; 1+2
                  releases R1, R2; sprints S1 in R1, S3 in R2
                  1 R1/S1, 2 R1/-, 4 R2/S3",
        ..AGILE
    },
    Case {
        name: "a bug of no tier is where its task is",
        sprint: "Tier 4",
        items: "1 Bug @S1; 2 User Story @S2; 3 Task @S2; 4 Bug @S3 <3",
        outcome: "User Story; Bug no tier; 1+2
                  releases R1, R2; sprints S2 in R1
                  1 R1/-, 2 R1/-, 4 R1/S2",
        ..AGILE
    },
    Case {
        name: "a bug as a requirement is its own tier 3",
        process: "Scrum",
        bugs: "asRequirements",
        sprint: "Tier 3",
        items: "1 Product Backlog Item @S1; 2 Bug @S3 <1",
        outcome: "Product Backlog Item; Bug tier 3; 1+1
                  releases R1, R2; sprints S1 in R1, S3 in R2
                  1 R1/S1, 2 R2/S3",
        ..AGILE
    },
    Case {
        name: "a bug of no tier is where its requirement is",
        process: "CMMI",
        sprint: "Tier 3",
        items: "1 Requirement @S1; 2 Bug @S3 <1; 3 Issue @S3 <1; 4 Bug @S3 <3",
        outcome: "Requirement; Bug no tier; 1+2
                  releases R1, R2; sprints S1 in R1
                  1 R1/S1, 2 R1/S1, 4 R1/S1",
        ..AGILE
    },
    Case {
        name: "an epic on the root is no release",
        release: "Tier 1",
        items: "1 Epic @Payments; 2 User Story @S1 <1",
        outcome: "User Story; Bug no tier; 1+0
                  releases -; sprints S1, S2, S3
                  2 -/S1
                  warns MatchesNothing release",
        ..AGILE
    },
    Case {
        name: "a parent that is elsewhere or in a closed cycle",
        release: "Tier 1",
        items: "1 Feature @R1 <2; 2 Feature @R2 <1; 3 User Story @S1 <1; 4 User Story @S2 <99",
        outcome: "User Story; Bug no tier; 2+0
                  releases -; sprints S1, S2, S3
                  3 -/S1, 4 -/S2
                  warns MatchesNothing release",
        ..AGILE
    },
    Case {
        name: "a sprint by tier on a release leaves the item its own release",
        sprint: "Tier 2",
        items: "1 Feature @R1; 2 User Story @S3 <1; 3 Feature @S1; 4 User Story @R2 <3",
        outcome: "User Story; Bug no tier; 2+0
                  releases R1, R2; sprints S1 in R1
                  2 R2/-, 4 R1/S1",
        ..AGILE
    },
    Case {
        name: "where the sprint is the release by tier, there is no sprint",
        release: "Tier 1",
        sprint: "Depth 1",
        items: "1 Epic @R1; 2 User Story @S1 <1; 3 User Story @S3 <1",
        outcome: "User Story; Bug no tier; 2+0
                  releases R1; sprints R1, R2
                  2 R1/-, 3 R1/R2",
        ..AGILE
    },
    Case {
        name: "where the sprint is the release by tier, the next above counts",
        release: "Tier 1",
        sprint: r"Paths Payments\*, Payments\*\*",
        items: "1 Epic @S1; 2 User Story @S1 <1; 3 User Story @S2 <1",
        outcome: "User Story; Bug no tier; 2+0
                  releases S1; sprints R1, S1, S2, R2, S3
                  2 S1/R1, 3 S1/S2",
        ..AGILE
    },
    Case {
        name: "both by tier, and both judged per item",
        release: "Tier 1",
        sprint: "Tier 2",
        items: "1 Epic @R1; 2 Feature @R1 <1; 3 User Story @S1 <2; 4 Feature @R2 <1; 5 User Story @S1 <4;
                6 Epic @R2; 7 Feature @R1 <6; 8 User Story @S1 <7",
        outcome: "User Story; Bug no tier; 3+0
                  releases R1, R2; sprints R1, R2
                  3 R1/-, 5 R1/R2, 8 R2/R1",
        ..AGILE
    },
    Case {
        name: "five tiers with an extra portfolio level",
        process: "Inherited",
        bugs: "asTasks",
        release: "Tier 1",
        sprint: "Tier 3",
        items: "1 Initiative @R1; 2 Epic @R2 <1; 3 Capability @S3 <2; 4 Story @S1 <3; 5 Defect @S2 <4; 6 Work @S2 <4",
        outcome: "Spike, Story; Defect tier 5; 1+1
                  releases R1; sprints S3
                  4 R1/S3, 5 R1/S3",
        ..AGILE
    },
    Case {
        name: "a tier below the extra level",
        process: "Inherited",
        release: "Tier 2",
        full_path: true,
        items: "1 Initiative @R1; 2 Epic @R2 <1; 3 Story @S1 <2; 4 Story @S1 <1",
        outcome: r"Spike, Story; Defect no tier; 2+0
                   releases Payments\R2; sprints Payments\R1\S1, Payments\R1\S2, Payments\R2\S3
                   3 R2/S1, 4 -/S1",
        ..AGILE
    },
    Case {
        name: "Basic has three tiers, and its issues stay at the second",
        bugs: "asTasks",
        sprint: "Tier 2",
        items: "1 Epic @R2; 2 Issue @S1 <1; 3 Issue @R1 <1",
        outcome: "Issue; -; 2+0
                  releases R1, R2; sprints S1 in R1
                  2 R1/S1, 3 R1/-",
        ..BASIC
    },
    Case {
        name: "Basic's release is where the epic is",
        release: "Tier 1",
        full_path: true,
        items: "1 Epic @R2; 2 Issue @S1 <1",
        outcome: r"Issue; -; 1+0
                   releases Payments\R2; sprints Payments\R1\S1, Payments\R1\S2, Payments\R2\S3
                   2 R2/S1",
        ..BASIC
    },
    Case {
        name: "a sprint by tier above a release",
        process: "Scrum",
        release: "Depth 2",
        sprint: "Tier 1",
        items: "1 Epic @R1; 2 Product Backlog Item @S1 <1; 3 Bug @R2 <1",
        outcome: r"Product Backlog Item; Bug no tier; 1+1
                   releases S1, S2, S3; sprints R1
                   2 S1/R1, 3 -/R1
                   warns SprintAboveRelease Payments\R1",
        ..AGILE
    },
    Case {
        name: "a sprint by tier takes its release by date",
        process: "CMMI",
        tree: "
Releases
  R1 01-01..03-31
  R2 04-01..06-30
Sprints
  S1 01-01..01-31
  S2 03-20..04-10
",
        release: r"Paths Payments\Releases\*",
        sprint: "Tier 2",
        items: "1 Feature @S1; 2 Requirement @R2 <1; 3 Feature @S2; 4 Bug @R2 <3",
        outcome: "Requirement; Bug no tier; 1+1
                  releases R1, R2; sprints S1 in R1, S2
                  2 R1/S1, 4 R2/S2",
        ..AGILE
    },
    Case {
        name: "sprints by tier that are all releases",
        sprint: "Tier 2",
        items: "1 Feature @R1; 2 User Story @S3 <1",
        outcome: "User Story; Bug no tier; 1+0
                  releases R1, R2; sprints -
                  2 R2/-
                  warns ReleasesTakeAll",
        ..AGILE
    },
    Case {
        name: "the release that dates give a sprint is ignored",
        tree: "
R1 01-01..03-31
Sprints
  S1 01-01..01-31
R2
",
        release: "Tier 1",
        sprint: r"Paths Payments\Sprints\S1",
        items: "1 Epic @R2; 2 User Story @S1 <1; 3 Epic @R1; 4 User Story @R1 <3; 5 Bug @S1",
        outcome: "User Story; Bug no tier; 2+1
                  releases R1, R2; sprints S1
                  2 R2/S1, 4 R1/-, 5 -/S1",
        ..AGILE
    },
    Case {
        name: "a tier below the last one",
        release: "Tier 4",
        items: "1 Epic @R2; 2 Issue @S1 <1",
        outcome: "Issue; -; 1+0
                  releases -; sprints S1, S2, S3
                  2 -/S1
                  warns MatchesNothing release",
        ..BASIC
    },
];
