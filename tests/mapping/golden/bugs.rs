//! Which types are requirements and bugs.

use super::{AGILE, BASIC, Case};

pub(super) const CASES: &[Case] = &[
    Case {
        name: "Basic's Bug Mapping needs explicit types",
        maps: "",
        outcome: "Error spec.bugMapping.workItemTypes",
        ..BASIC
    },
    Case {
        name: "Basic's issues as bugs beside epics",
        pulls: "Epic",
        maps: "Issue",
        items: "1 Epic @R1; 2 Issue @S1 <1",
        outcome: "Epic; Issue tier 2; 1+1
                  releases R1, R2; sprints S1 in R1, S2 in R1, S3 in R2
                  1 R1/-, 2 R1/S1",
        ..BASIC
    },
    Case {
        name: "Basic's issues as bugs leave no requirement",
        maps: "Issue",
        outcome: "Error spec.pullRequirements.workItemTypes",
        ..BASIC
    },
    Case {
        name: "more types of bugs than the category has",
        process: "CMMI",
        bugs: "asTasks",
        maps: "Bug, Issue",
        items: "1 Issue @S1; 2 Bug @S1; 3 Requirement @S1; 4 Risk @S1",
        outcome: "Requirement; Bug tier 4, Issue no tier; 1+2
                  releases R1, R2; sprints S1 in R1, S2 in R1, S3 in R2
                  1 R1/S1, 2 R1/S1, 3 R1/S1",
        ..AGILE
    },
    Case {
        name: "a type in both effective lists",
        pulls: "User Story, bug",
        outcome: "Error spec.bugMapping.workItemTypes",
        ..AGILE
    },
    Case {
        name: "bugs on the requirement level are no requirements",
        process: "Scrum",
        bugs: "asRequirements",
        maps: "off",
        items: "1 Product Backlog Item @S1; 2 Bug @S1",
        outcome: "Product Backlog Item; -; 1+0
                  releases R1, R2; sprints S1 in R1, S2 in R1, S3 in R2
                  1 R1/S1",
        ..AGILE
    },
    Case {
        name: "bugs alone",
        process: "CMMI",
        pulls: "off",
        items: "1 Requirement @S1; 2 Bug @S1",
        outcome: "-; Bug no tier; 0+1
                  releases R1, R2; sprints S1 in R1, S2 in R1, S3 in R2
                  2 R1/S1",
        ..AGILE
    },
    Case {
        name: "what is mapped to bugs is no default requirement",
        process: "Inherited",
        bugs: "asRequirements",
        maps: "Spike, Defect",
        items: "1 Story @S3; 2 Spike @S3; 3 Defect @S3",
        outcome: "Story; Defect tier 4, Spike tier 4; 1+2
                  releases R1, R2; sprints S1 in R1, S2 in R1, S3 in R2
                  1 R2/S3, 2 R2/S3, 3 R2/S3",
        ..AGILE
    },
    Case {
        name: "nor is it with Bug Mapping off",
        process: "Inherited",
        maps: "off Spike",
        items: "1 Story @S3; 2 Spike @S3; 3 Defect @S3",
        outcome: "Story; -; 1+0
                  releases R1, R2; sprints S1 in R1, S2 in R1, S3 in R2
                  1 R2/S3",
        ..AGILE
    },
    Case {
        name: "a type that the process has not",
        process: "Scrum",
        pulls: "User Story",
        outcome: "Error spec.pullRequirements.workItemTypes",
        ..AGILE
    },
    Case {
        name: "the old name of a renamed type",
        process: "Inherited",
        maps: "Bug",
        outcome: "Error spec.bugMapping.workItemTypes",
        ..AGILE
    },
    Case {
        name: "names of types compare without case",
        pulls: "user story, FEATURE",
        items: "1 User Story @S1; 2 Feature @R2",
        outcome: "Feature, User Story; Bug no tier; 2+0
                  releases R1, R2; sprints S1 in R1, S2 in R1, S3 in R2
                  1 R1/S1, 2 R2/-",
        ..AGILE
    },
    Case {
        name: "a requirement that is on the task level",
        bugs: "asRequirements",
        pulls: "Task",
        items: "1 Task @S1; 2 Bug @R1; 3 User Story @S1",
        outcome: "Task; Bug tier 3; 1+1
                  releases R1, R2; sprints S1 in R1, S2 in R1, S3 in R2
                  1 R1/S1, 2 R1/-",
        ..AGILE
    },
];
