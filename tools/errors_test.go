package tools

import (
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/esa-mcp/esa-mcp/internal/esa"
)

// documentedCodes are the codes whose meaning users get wrong or cannot find
// out, with those of records, certificates, edge KV and analytics.
const documentedCodes = `UnsupportedHTTPMethod InvalidParameter.InvalidBiz InvalidParameter.InvalidRecordNameSuffix CompileRuleError
RuleRegexQuotaCheckFailed CertQuotaCheckFailed Certificate.Duplicated QuotaCheckFailed.Function Instance.NotOnline ErService.HasOpened
NotNull ParameterNotExist ProductCheckError NotApplicable SiteNotFound 101 32 InvalidSite.NotFound SiteIdDDoSVersionCheckFailed LockFailed
DependedByOthers InvalidAccount.NotFound SiteNotFound.NotFound Throttling Throttling.User Throttling.Api TooManyRequests InternalException
undefined ServiceUnavailable TooQuickRequests Record.NoResource Record.Reserved RoutineNotExist RoutineNameAlreadyExist
RoutineNameAlreadyExists RoutineAlreadyExist
InvalidParameter.CnameSiteRecordNoProxied InvalidParameter.CnameSiteRecordUnsupport InvalidParameter.InvalidDSRecordName
InvalidParameter.InvalidHostPolicy InvalidParameter.InvalidRecordName InvalidParameter.PrivateIpAsSourceUnsupported
InvalidParameter.RecordCommentExceedLimit InvalidParameter.RecordData InvalidParameter.RecordNameExceedLimit
InvalidParameter.SourceIpInBlacklist QuotaExceed.RecordCount QuotaExceed.WildCardRecord SameNameRecordExceedLimit SourceCircleExist
Record.Conflict Record.NotFound Record.EmptyRecordValue Record.ParseJSONRecordValueFailed Record.UnsupportedType Record.UnsupportedSourceType
Record.TTLExceedLimit Record.TXTRecordValueExceedLimit Record.CNameRecordValueExceedLimit Record.CNameRecordValueCannotEqualHostRecord
Record.CNameRecordValueInvalidRecordDomain Record.AorAAAARecordValueContainInvalidIP Record.AorAAAARecordValueIPExceedLimit
Record.RecordNameConflictForSpecifiedRecordType Record.RecordNameConflictWithSameRecordType Record.RecordNameConflictWithNSRecord
Record.RecordNameConflictWithLBName Record.RecordNameConflictWithPoolName Record.RecordNameConflictWithIPAName
Record.NSRecordCannotEqualSiteName Record.ValidProxiedForSpecifedRecordType Record.ProtectedAsCustomHostnameSource
Record.ProxiedAsCustomHostnameSource Record.PoolSourceNotExistPool Record.SRVRecordInvalidRecordName
Record.UnmatchedRecordNameInvalidStartSymbol Record.InvalidIssueDataWithCAARecordTag Record.InvalidCertEncodeWithCERTRecord
Record.InvalidFingerprintWithSSHFPRecord Record.InvalidSmimeaEncodeWithSMIMEARecord Record.InvalidTslaEncodeWithTSLARecord
Record.SourceEmptyAK Record.SourceEmptySecretKey Record.SourceEmptyAuthConf Record.S3SourceInvalidAuthType
Record.OSSSourceInvalidAuthType Record.ServiceBusy Site.ServiceBusy ServiceInvokeFailed
InvalidCertificate.NotFound InvalidSSLPub InvalidSSLPri CertificateDomainNotMatchSite CertificateNotMatchPrivateKey
InvalidNameSpace.Malformed InvalidKey.Malformed InvalidKey.ExceedsMaximum InvalidValue.ExceedsMaximum InvalidNameSpace.NotFound
InvalidKey.NotFound InvalidNameSpace.Duplicate InvalidNameSpace.QuotaFull InvalidKey.ExceedsCapacity
InvalidParameter.TimeRange InvalidEndTime.Mismatch InvalidTime.Malformed InvalidParameter.Field InvalidParameter.Dimension TooManyDimensions`

func TestEveryDocumentedCodeIsExplained(t *testing.T) {
	for code := range strings.FieldsSeq(documentedCodes) {
		c, ok := esa.LookupCode(code)
		require.True(t, ok, code)
		require.NotEmpty(t, c.Meaning, code)
		text := Explain("some_tool", &esa.Error{Action: "Some", Code: code, HTTPStatus: 400, Hint: strings.TrimSpace(c.Meaning + " " + c.Fix)})
		require.Contains(t, text, "Meaning: "+c.Meaning, code)
		if c.Next != "" {
			require.Contains(t, text, "\nTool: "+c.Next, code)
		}
	}
	_, ok := esa.LookupCode("NeverHeardOf")
	require.False(t, ok)
}

// The table names no tool that does not exist, and no row hides another.
func TestTheTableOfCodes(t *testing.T) {
	tools := map[string]bool{}
	for _, tool := range All() {
		tools[tool.Meta().Name] = true
	}
	word := regexp.MustCompile(`\b[a-z]+(_[a-z0-9]+)+\b`)
	check := func(text string) {
		for _, name := range word.FindAllString(text, -1) {
			require.True(t, tools[name] || name == "destination_not_found" || name == "image_video", "%q names %s, which is no tool", text, name)
		}
	}
	seen := map[string]bool{}
	for _, c := range esa.Codes() {
		require.False(t, seen[c.Code], "%s is there twice", c.Code)
		seen[c.Code] = true
		require.True(t, c.Next == "" || tools[c.Next], "%s: %s is no tool", c.Code, c.Next)
		check(c.Meaning + " " + c.Fix)
		got, ok := esa.LookupCode(strings.TrimSuffix(c.Code, "*"))
		require.True(t, ok)
		require.Equal(t, c.Code, got.Code)
	}
	for _, s := range esa.Symptoms() {
		check(s.What + " " + s.Meaning + " " + s.Fix)
	}
}

const errorsDocument = "../docs/errors.md"

func TestErrorsDocument(t *testing.T) {
	var b strings.Builder
	b.WriteString("<!-- generated: make generate -->\n# What ESA's errors really mean\n\n" +
		"The service's error codes often mean something else than they say. This table is what the tools' errors are explained with: " +
		"`Meaning`, and `Tool`, the tool that helps next. A `*` stands for any end of a code.\n\n" +
		"| code | what it means | next |\n| --- | --- | --- |\n")
	for _, c := range esa.Codes() {
		next := ""
		if c.Next != "" {
			next = "`" + c.Next + "`"
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s |\n", c.Code, strings.TrimSpace(c.Meaning+" "+c.Fix), next)
	}
	b.WriteString("\n## Without a code\n\n| what one sees | what it means |\n| --- | --- |\n")
	for _, s := range esa.Symptoms() {
		fmt.Fprintf(&b, "| %s | %s |\n", s.What, s.Meaning+" "+s.Fix)
	}
	if *update {
		require.NoError(t, os.MkdirAll("../docs", 0o755))
		require.NoError(t, os.WriteFile(errorsDocument, []byte(b.String()), 0o644))
	}
	have, err := os.ReadFile(errorsDocument)
	require.NoError(t, err)
	require.True(t, b.String() == string(have), "docs/errors.md is old: run make generate")
}

// What was not found is looked for with the tool that lists such things.
func TestListTool(t *testing.T) {
	for tool, want := range map[string]string{"delete_record": "list_records", "set_cache_rule": "list_cache_rules", "get_site": "list_sites",
		"list_records": "list_records", "delete_rule": "list_rules", "purge_cache": "the matching list tool", "odd": "the matching list tool"} {
		require.Equal(t, want, listTool(tool))
	}
}
