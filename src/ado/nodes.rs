//! The trees of areas and iterations, and the iterations of teams (`ado-api.md` §8).

use std::collections::{BTreeSet, HashMap};

use super::client::AdoClient;
use super::error::{AdoError, Defect};
use super::model::{ClassificationNode, ClassificationRoots, List, ProjectId, TeamId, TeamIteration, without_nulls};
use super::route::{Call, Route};

/// Most levels below the root, as the service has it (`ado-api.md` §5).
const MAX_DEPTH: usize = 14;
/// Most nodes of a tree, as the service has it (`ado-api.md` §5).
const MAX_NODES: usize = 10_000;
/// Nodes asked for at a time, so that the URL stays short.
const MAX_IDS: usize = 100;

pub(super) static ITERATIONS: Route =
    Route::get("work items", "{project}/_apis/wit/classificationnodes/Iterations").large();
pub(super) static NODES: Route = Route::get("work items", "{project}/_apis/wit/classificationnodes").large();
pub(super) static TEAM_ITERATIONS: Route = Route::get("boards", "{project}/{team}/_apis/work/teamsettings/iterations");

impl AdoClient {
    /// The roots of the area and iteration trees, without the nodes below.
    pub async fn classification_roots(&self, project: &ProjectId) -> Result<ClassificationRoots, AdoError> {
        let call = Call::new(&NODES, &[&project.to_string()]).query("$depth", 0);
        let list: List<ClassificationNode> = self.send(call).await?;
        Ok(list.value.into())
    }

    /// The whole iteration tree, in one request where the service does not cut it. A node that says to have children keeps
    /// none if they are not told of when asked for it alone. A tree of more than 10,000 nodes or 14 levels is
    /// [`Defect::Endless`].
    pub async fn iteration_tree(&self, project: &ProjectId) -> Result<ClassificationNode, AdoError> {
        let endless = || {
            let host = self.organization().host().to_string();
            AdoError::Malformed { host, defect: Defect::Endless }
        };
        let call = Call::new(&ITERATIONS, &[&project.to_string()]).query("$depth", MAX_DEPTH);
        let mut root: ClassificationNode = self.send(call).await?;
        let mut asked = BTreeSet::new();
        loop {
            let mut cut = cut_nodes(&root).ok_or_else(endless)?;
            cut.retain(|id| asked.insert(*id));
            if cut.is_empty() {
                return Ok(root);
            }
            for ids in cut.chunks(MAX_IDS) {
                put_in(&mut root, self.subtrees(project, ids).await?);
            }
        }
    }

    /// The nodes with these ids and what is below them; those that are absent are left out.
    async fn subtrees(&self, project: &ProjectId, ids: &[u32]) -> Result<Vec<ClassificationNode>, AdoError> {
        let ids: Vec<String> = ids.iter().map(u32::to_string).collect();
        let call = Call::new(&NODES, &[&project.to_string()])
            .query("ids", ids.join(","))
            .query("$depth", MAX_DEPTH)
            .query("errorPolicy", "omit");
        let list: List<Option<ClassificationNode>> = self.send(call).await?;
        Ok(without_nulls(list))
    }

    /// The iterations that a team chose.
    pub async fn team_iterations(&self, project: &ProjectId, team: &TeamId) -> Result<Vec<TeamIteration>, AdoError> {
        let call = Call::new(&TEAM_ITERATIONS, &[&project.to_string(), &team.to_string()]);
        let list: List<TeamIteration> = self.send(call).await?;
        Ok(list.value)
    }
}

/// Ids of the nodes whose children were left out; none for a tree over the service's own limits.
fn cut_nodes(root: &ClassificationNode) -> Option<Vec<u32>> {
    let (mut cut, mut count, mut left) = (Vec::new(), 0, vec![(root, 0)]);
    while let Some((node, depth)) = left.pop() {
        count += 1;
        if count > MAX_NODES || depth > MAX_DEPTH {
            return None;
        }
        if node.has_children && node.children.is_empty() {
            cut.push(node.id);
        }
        left.extend(node.children.iter().map(|child| (child, depth + 1)));
    }
    Some(cut)
}

/// Gives the children of subtrees to the nodes of the same id that have none.
fn put_in(root: &mut ClassificationNode, subtrees: Vec<ClassificationNode>) {
    let mut children: HashMap<u32, Vec<ClassificationNode>> =
        subtrees.into_iter().map(|node| (node.id, node.children)).collect();
    let mut left = vec![root];
    while let Some(node) = left.pop() {
        if node.children.is_empty() {
            node.children = children.remove(&node.id).unwrap_or_default();
        }
        left.extend(&mut node.children);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ado::model::NodeStructure;

    fn node(id: u32, has_children: bool, children: Vec<ClassificationNode>) -> ClassificationNode {
        ClassificationNode {
            id,
            identifier: uuid::Uuid::from_u128(id.into()),
            name: id.to_string(),
            structure_type: NodeStructure::Iteration,
            path: None,
            has_children,
            attributes: None,
            children,
        }
    }

    #[test]
    fn cut_nodes_are_found_and_their_children_put_in() {
        let mut root = node(1, true, vec![node(2, true, vec![]), node(3, false, vec![]), node(4, true, vec![])]);
        assert_eq!(cut_nodes(&root), Some(vec![4, 2]));
        put_in(
            &mut root,
            vec![node(2, true, vec![node(5, true, vec![])]), node(9, true, vec![node(8, false, vec![])])],
        );
        assert_eq!(cut_nodes(&root), Some(vec![4, 5]));
        put_in(&mut root, vec![node(5, true, vec![node(6, false, vec![])]), node(4, true, vec![])]);
        assert_eq!(cut_nodes(&root), Some(vec![4]), "what has none although it says so stays");
        assert_eq!(root.children[0].children[0].children[0].id, 6);
    }

    #[test]
    fn a_tree_that_no_project_can_have_is_none() {
        let chain = |levels: u32| (1..levels).fold(node(0, false, vec![]), |below, id| node(id, true, vec![below]));
        assert_eq!(cut_nodes(&chain(15)), Some(vec![]));
        assert_eq!(cut_nodes(&chain(16)), None);
        let wide = |count: u32| node(0, true, (1..count).map(|id| node(id, false, vec![])).collect());
        assert_eq!(cut_nodes(&wide(10_000)), Some(vec![]));
        assert_eq!(cut_nodes(&wide(10_001)), None);
    }
}
