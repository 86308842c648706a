//! What is to be looked at: one queue for each kind and watched namespace, which anything may put an object into.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use futures::channel::mpsc::{UnboundedReceiver, UnboundedSender, unbounded};
use kube::runtime::reflector::ObjectRef;

use crate::api::{AdoIntegration, AdoProjectConfig};

/// A set of watched objects: one namespace, or all of them.
pub type Scope = Option<String>;

/// Objects of one kind that are to be looked at. Each is forgotten once its look has begun, so what is in a queue is
/// bounded by the number of events that came while the controller was not running.
pub type Queue<K> = UnboundedReceiver<ObjectRef<K>>;

/// The ways into the queues.
#[derive(Debug)]
struct Doors<K: kube::Resource<DynamicType = ()>>(BTreeMap<Scope, UnboundedSender<ObjectRef<K>>>);

impl<K: kube::Resource<DynamicType = ()>> Doors<K> {
    fn open(scopes: &[Scope]) -> (Self, Vec<Queue<K>>) {
        let (mut doors, mut queues) = (BTreeMap::new(), Vec::new());
        for scope in scopes {
            let (sender, receiver) = unbounded();
            doors.insert(scope.clone(), sender);
            queues.push(receiver);
        }
        (Self(doors), queues)
    }

    /// Objects outside of what is watched have no queue, and nobody would look at them.
    fn put(&self, object: ObjectRef<K>) {
        let door = self.0.get(&object.namespace).or_else(|| self.0.get(&None));
        if let Some(door) = door {
            // A queue without a reader belongs to a controller that has ended.
            let _ = door.unbounded_send(object);
        }
    }
}

/// The queues of all scopes, in their order.
pub type Queues = (Vec<Queue<AdoIntegration>>, Vec<Queue<AdoProjectConfig>>);

/// Asks for looks at objects. Asking is cheap: who asks twice before the look begins gets one.
#[derive(Debug, Default)]
pub struct Wake(OnceLock<(Doors<AdoIntegration>, Doors<AdoProjectConfig>)>);

impl Wake {
    /// Makes the queues of these scopes, in their order; none if there are queues already.
    pub fn open(&self, scopes: &[Scope]) -> Option<Queues> {
        let (integrations, of_integrations) = Doors::open(scopes);
        let (configs, of_configs) = Doors::open(scopes);
        self.0.set((integrations, configs)).ok()?;
        Some((of_integrations, of_configs))
    }

    /// Asks for a look at an integration.
    pub fn integration(&self, object: ObjectRef<AdoIntegration>) {
        if let Some((integrations, _)) = self.0.get() {
            integrations.put(object);
        }
    }

    /// Asks for a look at a project config.
    pub fn config(&self, object: ObjectRef<AdoProjectConfig>) {
        if let Some((_, configs)) = self.0.get() {
            configs.put(object);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(namespace: &str) -> ObjectRef<AdoProjectConfig> {
        ObjectRef::new("payments").within(namespace)
    }

    #[test]
    fn an_object_gets_into_the_queue_of_its_namespace_or_of_all() {
        let named = Wake::default();
        let scopes = [Some("a".to_owned()), Some("b".to_owned())];
        let (_, mut queues) = named.open(&scopes).expect("the first");
        assert!(named.open(&scopes).is_none(), "queues are made once");
        named.config(config("b"));
        named.config(config("c"));
        assert!(queues[0].try_recv().is_err(), "nothing of namespace a");
        assert_eq!(queues[1].try_recv().expect("one"), config("b"));
        assert!(queues[1].try_recv().is_err(), "nothing of a namespace that is not watched");

        let all = Wake::default();
        let (_, mut queues) = all.open(&[None]).expect("the first");
        all.config(config("c"));
        assert_eq!(queues[0].try_recv().expect("one"), config("c"));
    }
}
