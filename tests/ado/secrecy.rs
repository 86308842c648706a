//! The token reaches the server and nothing else.

use crate::support::{Log, World, limits, project};
use crate::trust::Proxy;
use ado_operator::ado::{AdoClient, Budgets, Transport, TransportConfig};
use ado_simulator::{Effect, Fault};

#[tokio::test]
async fn no_log_line_error_or_debug_text_holds_the_token() {
    let world = World::new().await;
    let token = world.simulator.pat("full").expect("a label");
    let mut texts = Vec::new();
    let client = world.client("full");
    texts.push(format!("{client:?} {:?} {:?}", client.budget(), world.pat("full")));
    client.connection_data().await.expect("an answer");
    project(&client, "Payments").await;
    let encoded = base64(&token);
    for echo in [token.as_str(), &encoded] {
        let body = format!("{{\"message\":\"TF400813: {echo} is not authorized\",\"typeKey\":\"{echo}\"}}");
        for status in [400, 403, 404, 500, 503] {
            let content_type = Some("application/json".to_owned());
            let effect = Effect::Answer { status, content_type, body: body.clone() };
            let (result, _) = world.during(Fault::always(effect), client.projects()).await;
            let error = result.expect_err("an error");
            texts.push(format!("{error} {error:?} {:?}", error.service_message()));
        }
    }
    let proxy = Proxy::start(world.port(), None).await;
    let proxies = vec![proxy.named("http://user:pr0xy-s3cret@")];
    texts.push(format!("{proxies:?}"));
    let http = Transport::new(TransportConfig { proxies, ..world.config() })
        .http(Some(&world.ca()), Some("corporate"))
        .expect("a client");
    texts.push(format!("{http:?}"));
    let budget = Budgets::new().of_credential(&world.organization(), &world.pat("full").fingerprint());
    let through = AdoClient::new(http, world.organization(), world.pat("full"), budget, limits()).expect("permitted");
    through.connection_data().await.expect("through the proxy");
    // What all tests of this binary logged so far.
    texts.push(Log::get().text());
    assert!(texts.last().is_some_and(|log| log.contains("asked Azure DevOps")), "the log was captured");
    for text in texts {
        assert!(!text.contains(&token) && !text.contains(&encoded), "a text holds the token");
        assert!(
            !text.contains("pr0xy-s3cret") && !text.contains("dXNlcjpwcjB4eS1zM2NyZXQ"),
            "a text holds the proxy's password"
        );
    }
}

/// The token as the header carries it.
fn base64(token: &str) -> String {
    use base64::Engine;
    base64::engine::general_purpose::STANDARD.encode(format!(":{token}"))
}
