//! The operator on a real kube-apiserver, with the rights of the chart, against the strict simulator.

mod integration_states;
