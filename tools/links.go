package tools

import "net/url"

// Link points to a resource that shows what a result is about. It goes to the
// client next to the structured result.
type Link struct {
	// URI is that of a live resource, Title what a person reads.
	URI, Title string
}

// linked is an output with links. They are no part of its JSON.
type linked interface{ Links() []Link }

// linksOf returns the links of a result, if it has some.
func linksOf(value any) []Link {
	if l, ok := value.(linked); ok {
		return l.Links()
	}
	return nil
}

func routineLink(name string) []Link {
	if name == "" {
		return nil
	}
	return []Link{{"esa://routines/" + url.PathEscape(name), "Routine " + name}}
}

// siteLink is a link to a site, or to a part of it such as /routes.
func siteLink(id ID, part, title string) []Link {
	if id == "" {
		return nil
	}
	return []Link{{"esa://sites/" + string(id) + part, title}}
}

// Links leads to the routine.
func (o *DeployOutput) Links() []Link {
	if o.Status == StatusDryRun {
		return nil
	}
	return routineLink(o.Name)
}

// Links leads to the site.
func (o *SiteOutput) Links() []Link { return siteLink(o.ID, "", "Site "+o.Name) }

// Links leads to the rules of the kind.
func (o *SetKindRuleOutput) Links() []Link {
	return siteLink(o.SiteID, "/rules/"+o.Rule.Kind, "Rules of the site: "+o.Rule.Kind)
}

// Links leads to the routes of the site.
func (o *SetRouteOutput) Links() []Link { return siteLink(o.SiteID, "/routes", "Routes of the site") }

// Links leads to the routine and to the records of the site.
func (o *BindCustomDomainOutput) Links() []Link {
	return append(routineLink(o.Routine), siteLink(o.SiteID, "/records", "DNS records of "+o.SiteName)...)
}

// Links leads to the keys of the namespace.
func (o *CreateKVNamespaceOutput) Links() []Link {
	return []Link{{"esa://kv/" + url.PathEscape(o.Namespace), "KV namespace " + o.Namespace}}
}
