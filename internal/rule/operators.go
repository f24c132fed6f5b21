package rule

// Operator describes one operator for documentation.
type Operator struct {
	// Name is how it is written, such as eq or starts_with.
	Name string
	// Form is a condition with it.
	Form string
	// Function says that it is written as a function.
	Function bool
	// Meaning says when the condition is true.
	Meaning string
}

// Operators lists the operators and functions of conditions.
func Operators() []Operator {
	return []Operator{
		{"eq", `http.host eq "www.example.com"`, false, "the value is equal"},
		{"ne", `http.host ne "www.example.com"`, false, "the value is not equal"},
		{"in", `http.host in {"a.com" "b.com"}`, false, "the value is one of the set; blanks separate its members. After $ stands the name of a list: ip.src in $office"},
		{"contains", `http.request.uri contains "/test"`, false, "the value has this text somewhere"},
		{"matches", `http.host matches "^(www|blog)\\.example\\.com$"`, false, "the regular expression (PCRE) is found in the value; not on every plan"},
		{"gt", `ip.geoip.asnum gt 45104`, false, "the number is greater"},
		{"ge", `ip.geoip.asnum ge 45104`, false, "the number is greater or equal"},
		{"lt", `len(http.request.uri) lt 2048`, false, "the number is less"},
		{"le", `ip.geoip.asnum le 45104`, false, "the number is less or equal"},
		{"starts_with", `starts_with(http.request.uri.path, "/api/")`, true, "the value begins with the text"},
		{"ends_with", `ends_with(http.host, ".example.com")`, true, "the value ends with the text"},
		{"exists", `exists(http.request.headers["x-token"])`, true, "the request has the header, cookie or argument"},
		{"lower", `lower(http.host) eq "www.example.com"`, true, "compares the field with its capital letters A to Z made small"},
		{"len", `len(http.cookie) gt 1024`, true, "compares the length of the field"},
		{"not", `not http.host in {"a.com" "b.com"}`, false, "turns a condition round; it stands before the field, and for eq there is ne"},
		{"and", `ssl and http.request.method eq "POST"`, false, "both hold; binds tighter than or"},
		{"or", `(ssl) or (http.request.method eq "POST")`, false, "at least one holds"},
	}
}

// opNames are the operators as they are written.
var opNames = [opCount]string{"", "eq", "ne", "contains", "matches", "in", "gt", "ge", "lt", "le", "starts_with", "ends_with", "exists"}

func (o operator) String() string { return opNames[o] }

// ordered reports whether an operator compares by size.
func (o operator) ordered() bool { return o >= opGt && o <= opLe }

// foreign says what an operator that is written in another way means.
type foreign struct {
	op      operator
	negated bool
	id      string
	bad     bool // it is no operator of ESA for sure; otherwise the sources differ
}

// operatorOf reads an operator that is written as it must be.
func operatorOf(word string) (operator, bool) {
	switch word {
	case "eq":
		return opEq, true
	case "ne":
		return opNe, true
	case "contains":
		return opContains, true
	case "matches":
		return opMatches, true
	case "in":
		return opIn, true
	case "gt":
		return opGt, true
	case "ge":
		return opGe, true
	case "lt":
		return opLt, true
	case "le":
		return opLe, true
	}
	return 0, false
}

// foreignOperator reads what other languages and the console write. word is in
// lower case without underscores.
func foreignOperator(word string) (foreign, bool) {
	switch word {
	case "==":
		return foreign{opEq, false, idWildcard, false}, true
	case "=", "===", "equals", "equal", "equalto", "is":
		return foreign{opEq, false, idWildcard, true}, true
	case "!=", "!==", "<>", "neq", "noteq", "notequals", "notequal":
		return foreign{opNe, false, idWildcard, true}, true
	case "~", "=~", "match", "regex", "regexmatch", "rematch":
		return foreign{opMatches, false, idWildcard, true}, true
	case "!~":
		return foreign{opMatches, true, idWildcard, true}, true
	case "notmatch", "notmatches":
		return foreign{opMatches, true, idNotIn, true}, true
	case ">":
		return foreign{opGt, false, idWildcard, true}, true
	case ">=", "gte":
		return foreign{opGe, false, idWildcard, true}, true
	case "<":
		return foreign{opLt, false, idWildcard, true}, true
	case "<=", "lte":
		return foreign{opLe, false, idWildcard, true}, true
	case "contain", "includes", "include", "has":
		return foreign{opContains, false, idWildcard, true}, true
	case "notcontains", "notcontain":
		return foreign{opContains, true, idNotIn, true}, true
	case "notin", "nin":
		return foreign{opIn, true, idNotIn, true}, true
	case "inlist":
		return foreign{opIn, false, idInList, true}, true
	case "notinlist", "negateinlist":
		return foreign{opIn, true, idInList, true}, true
	case "startswith", "beginswith", "hasprefix":
		return foreign{opStartsWith, false, idFunctionStyle, true}, true
	case "endswith", "hassuffix":
		return foreign{opEndsWith, false, idFunctionStyle, true}, true
	case "notstartswith":
		return foreign{opStartsWith, true, idFunctionStyle, true}, true
	case "notendswith":
		return foreign{opEndsWith, true, idFunctionStyle, true}, true
	case "exists", "exist", "ispresent", "present":
		return foreign{opExists, false, idFunctionStyle, true}, true
	case "notexists", "notexist":
		return foreign{opExists, true, idFunctionStyle, true}, true
	}
	return foreign{}, false
}
