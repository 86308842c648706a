//! A request target, taken apart: organization, decoded path segments, decoded query.

use http::Uri;
use percent_encoding::percent_decode_str;

/// The decoded target of a request.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    /// Decoded segments; for `{organization}.visualstudio.com` the organization is put in front.
    pub segments: Vec<String>,
    /// Decoded query pairs in order; names keep their spelling.
    pub query: Vec<(String, String)>,
    /// `https://host[:port]/{organization}`, or without the segment for the older host form.
    pub base: String,
    /// The path as received, without the query.
    pub raw_path: String,
}

impl Target {
    /// Reads the target of a request that was sent to `host`, which serves everything below its virtual directory if it has
    /// one: outside of it there is no organization.
    pub fn read(uri: &Uri, host: &str, virtual_directory: Option<&str>) -> Self {
        let raw_path = uri.path().to_owned();
        let mut segments: Vec<String> = raw_path.split('/').filter(|part| !part.is_empty()).map(decode).collect();
        let name = host.split(':').next().unwrap_or_default();
        let base = match (name.strip_suffix(".visualstudio.com"), virtual_directory) {
            (_, Some(directory)) => {
                let found = segments.first().is_some_and(|first| first.eq_ignore_ascii_case(directory));
                segments = if found { segments.split_off(1) } else { Vec::new() };
                format!("https://{host}/{directory}/{}", segments.first().map_or("", String::as_str))
            }
            (Some(organization), None) if !organization.contains('.') => {
                segments.insert(0, organization.to_owned());
                format!("https://{host}")
            }
            _ => format!("https://{host}/{}", segments.first().map_or("", String::as_str)),
        };
        let query = uri.query().map(pairs).unwrap_or_default();
        Self { segments, query, base, raw_path }
    }

    /// The organization's name as written in the URL.
    pub fn organization(&self) -> &str {
        self.segments.first().map_or("", String::as_str)
    }

    /// The value of a query parameter, its name compared without case.
    pub fn query_value(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }
}

fn decode(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

fn pairs(query: &str) -> Vec<(String, String)> {
    let parts = query.split('&').filter(|part| !part.is_empty());
    parts
        .map(|part| {
            let (name, value) = part.split_once('=').unwrap_or((part, ""));
            (decode(&name.replace('+', " ")), decode(&value.replace('+', " ")))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_host_forms_give_the_same_segments() {
        let modern =
            Target::read(&"/contoso/Web%20Shop/_apis/wit/wiql?%24top=1".parse().unwrap(), "localhost:1234", None);
        assert_eq!(modern.segments, ["contoso", "Web Shop", "_apis", "wit", "wiql"]);
        assert_eq!(modern.base, "https://localhost:1234/contoso");
        assert_eq!(modern.query_value("$top"), Some("1"));
        let older = Target::read(&"/Web%20Shop/_apis/wit/wiql".parse().unwrap(), "contoso.visualstudio.com:99", None);
        assert_eq!(older.segments, ["contoso", "Web Shop", "_apis", "wit", "wiql"]);
        assert_eq!(older.base, "https://contoso.visualstudio.com:99");
    }

    #[test]
    fn a_virtual_directory_stands_before_the_collection() {
        let read = |path: &str| Target::read(&path.parse().unwrap(), "tfs.example.com", Some("tfs"));
        let within = read("/TFS/contoso/_apis/projects");
        assert_eq!(within.segments, ["contoso", "_apis", "projects"]);
        assert_eq!(within.base, "https://tfs.example.com/tfs/contoso");
        assert_eq!(read("/contoso/_apis/projects").organization(), "");
    }
}
