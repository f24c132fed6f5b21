package esa

import "strings"

// isNotFound reports whether a code means that the thing does not exist. The
// service has many spellings for it, some of them numbers.
func isNotFound(code string) bool {
	switch code {
	case "101", "32":
		return true
	}
	return strings.Contains(code, "NotFound") || strings.HasSuffix(code, "NotExist")
}

// isNoSite reports whether a code means that the site does not exist.
func isNoSite(code string) bool {
	switch code {
	case "SiteNotFound", "SiteNotFound.NotFound", "InvalidSite.NotFound", "101", "32":
		return true
	}
	return false
}

// hintFor says what a code really means and what to do, where the service's own
// text misleads or says nothing.
func hintFor(e *Error, action string) string {
	if c, ok := LookupCode(e.Code); ok {
		return c.text()
	}
	switch code := e.Code; {
	case strings.HasPrefix(code, "Forbidden"), code == "NoPermission":
		return "The account's RAM user or role lacks the permission: attach AliyunESAFullAccess, or a policy with esa:" + action + "."
	case e.HTTPStatus == 403 && e.Code == CodeBadAnswer:
		return "Something before the service refused the call: a proxy or firewall, most likely."
	case e.HTTPStatus/100 == 3 || e.HTTPStatus == 404 && e.Code == CodeBadAnswer:
		return "This does not look like the ESA API: check the endpoint."
	}
	return ""
}
