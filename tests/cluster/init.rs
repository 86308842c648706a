//! What `kubectl ado init` prints, applied as it is.

use std::process::{Command, Stdio};

use ado_operator::api::AdoProjectConfig;
use ado_simulator::Options;
use ado_simulator::control::NewProject;
use support::world::World;

use crate::configs::{ACTIVE, GOOD, assert_config, connected};

/// What the program prints for a project, with the token of the Secret that the integration names.
async fn printed(world: &World, project: &str) -> String {
    let kubeconfig = world.control_plane.kubeconfig().clone();
    let host = format!("localhost:{}", world.ado.address().port());
    let (namespace, project) = (world.namespace.clone(), project.to_owned());
    let done = tokio::task::spawn_blocking(move || {
        Command::new(env!("CARGO_BIN_EXE_kubectl-ado"))
            .env("KUBECONFIG", kubeconfig)
            .args(["init", "--integration", "contoso", "--namespace", &namespace])
            .args(["--allowed-host", &host, "--project", &project])
            .stdin(Stdio::null())
            .output()
    });
    let done = done.await.unwrap().unwrap();
    let problem = String::from_utf8(done.stderr).unwrap();
    assert_eq!((done.status.code(), problem.as_str()), (Some(0), ""));
    String::from_utf8(done.stdout).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_init_prints_turns_active_as_it_is_on_every_process() {
    let world = connected(Options { items: 600, ..Options::default() }).await;
    let odd =
        NewProject { name: "yes: #1 '🚀'".to_owned(), process: Some("Agile".to_owned()), ..NewProject::default() };
    world.ado.add_project(&odd).unwrap();
    for (project, name, process, bugs) in [
        ("Payments", "payments", "Agile", true),
        ("Web Shop", "web-shop", "Scrum", true),
        ("Compliance", "compliance", "CMMI", true),
        ("Platform", "platform", "Contoso Agile", true),
        ("Intranet", "intranet", "Basic", false),
        ("Größe v1.2 (alt)", "gr-e-v1-2-alt", "Agile", true),
        (&odd.name, "yes-1", "Agile", false),
    ] {
        let text = printed(&world, project).await;
        let apply = ["apply", "--server-side", "--validate=strict", "-f", "-"];
        let (done, output, refusal) = world.control_plane.kubectl(&apply, &text).unwrap();
        assert!(done && refusal.is_empty(), "{project}: {output}{refusal}\n{text}");
        let found: AdoProjectConfig = world.config_is(name, "Active", "Synced").await;
        assert_config(&found, &ACTIVE, GOOD);
        let status = found.status.unwrap();
        let project_found = status.project.unwrap();
        assert_eq!((project_found.name.as_str(), project_found.process.as_deref()), (project, Some(process)));
        assert_eq!((status.unmapped_total, status.warnings), (None, Vec::new()), "{project}");
        let counts = status.counts.unwrap();
        assert_eq!(counts.bugs > 0, bugs, "{project}: {counts:?}");
        assert_eq!(counts.requirements > 0, project != odd.name, "{project}: {counts:?}");
    }
}
