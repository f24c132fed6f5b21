package pages

import (
	"bytes"
	"path"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Kind is why something was left out.
type Kind string

// The kinds. Only what is ignored or hidden can be taken back in, by a line
// with ! in .esaignore; a hidden file by a line that names it with its dot.
const (
	Secret         Kind = "secret"          // keys, credentials, environment files
	VersionControl Kind = "version-control" // .git and its like
	Dependencies   Kind = "dependencies"    // node_modules
	Litter         Kind = "litter"          // left by editors and operating systems
	Settings       Kind = "settings"        // the project's own configuration
	Source         Kind = "source"          // the routine's source files
	Hidden         Kind = "hidden"          // other names that begin with a dot
	Ignored        Kind = "ignored"         // by an ignore file or an option
	Special        Kind = "special"         // pipes, sockets, devices
)

// nameRule says whether a single name is left out wherever it is, and why.
// Names are compared without regard to case: file systems differ, secrets do
// not.
func nameRule(name string) (Kind, string) {
	low := strings.ToLower(name)
	switch {
	case low == ".env" || low == ".envrc" || strings.HasPrefix(low, ".env.") || strings.HasSuffix(low, ".env"):
		return Secret, "an environment file holds secrets"
	case slices.Contains(keyNames, strings.TrimSuffix(low, "_sk")):
		return Secret, "a private key by its name"
	case slices.Contains(credentialNames, low):
		return Secret, "holds credentials by its name"
	case slices.Contains(keyStores, path.Ext(low)):
		return Secret, "a key or key store by its name; a public certificate can be published as .crt"
	case slices.Contains(versionControl, low) || name == "CVS": // a folder cvs holds curricula
		return VersionControl, "belongs to version control"
	case low == "node_modules":
		return Dependencies, "installed packages are bundled, not published"
	case slices.Contains(litterNames, low) || isEditorCopy(low):
		return Litter, "left by an editor or the operating system"
	case low == gitIgnore || low == esaIgnore:
		return Settings, "an ignore file"
	}
	return "", ""
}

var (
	keyNames        = []string{"id_rsa", "id_dsa", "id_ecdsa", "id_ed25519"}
	keyStores       = []string{".pem", ".key", ".p12", ".pfx", ".jks", ".keystore", ".ppk", ".kdbx", ".tfstate"}
	credentialNames = []string{
		".npmrc", ".yarnrc", ".yarnrc.yml", ".netrc", "_netrc", ".pypirc", ".pgpass", ".my.cnf", ".htpasswd",
		".git-credentials", ".dockercfg", ".vault-token", ".terraformrc",
		".aws", ".ssh", ".gnupg", ".kube", ".docker", ".azure", ".aliyun", ".alibabacloud", ".esa",
	}
	versionControl = []string{".git", ".svn", ".hg", ".bzr", ".jj"}
	litterNames    = []string{
		".ds_store", "thumbs.db", "ehthumbs.db", "desktop.ini", "__macosx", ".spotlight-v100", ".trashes",
		".fseventsd", ".idea", ".vscode", ".vs",
	}
)

func isEditorCopy(low string) bool {
	return strings.HasSuffix(low, "~") || strings.HasPrefix(low, "._") || strings.HasPrefix(low, ".#") ||
		(len(low) > 2 && low[0] == '#' && low[len(low)-1] == '#') ||
		slices.Contains([]string{".swp", ".swo", ".swn"}, path.Ext(low))
}

// isHidden is true of names with a leading dot but for .well-known, which has
// to be published to be of use.
func isHidden(name string) bool {
	return strings.HasPrefix(name, ".") && name != ".well-known"
}

// badName says why a name cannot be published, or nothing.
func badName(name string) string {
	if !utf8.ValidString(name) {
		return "its name is not valid UTF-8"
	}
	for _, r := range name {
		if r == '\\' {
			return "its name contains a backslash"
		}
		if unicode.IsControl(r) {
			return "its name contains a control character"
		}
	}
	return ""
}

// headSize is how much of a file's start is searched for a private key.
const headSize = 8 << 10

// holdsPrivateKey looks for PEM private keys, also inside JSON, where line ends
// are written as \n. A marker that is only mentioned, such as the constant in a
// cryptography library, is none: it neither stands alone on a line nor is
// followed by a key.
func holdsPrivateKey(head []byte) bool {
	for rest := head; ; {
		at := bytes.Index(rest, []byte("-----BEGIN "))
		if at < 0 {
			return false
		}
		lineStart := at == 0 || rest[at-1] == '\n' || rest[at-1] == '\r' ||
			bytes.Equal(rest[:at], []byte("\ufeff"))
		rest = rest[at+len("-----BEGIN "):]
		label, after, ok := bytes.Cut(rest[:min(len(rest), 64)], []byte("-----"))
		if !ok || !isKeyLabel(label) {
			continue
		}
		if lineStart && endsLine(after) {
			return true
		}
		if startsKey(rest[len(label)+len("-----"):]) {
			return true
		}
	}
}

func isKeyLabel(label []byte) bool {
	return bytes.HasSuffix(label, []byte("PRIVATE KEY")) || bytes.HasSuffix(label, []byte("PRIVATE KEY BLOCK"))
}

func endsLine(after []byte) bool {
	after = bytes.TrimLeft(after, " \t")
	return len(after) == 0 || after[0] == '\n' || after[0] == '\r'
}

// startsKey is true if a line end, written in any way, and then at least 16
// characters of base64 follow.
func startsKey(after []byte) bool {
	text := bytes.TrimLeft(after, " \t\r\n\\nr")
	if len(text) == len(after) || len(text) < 16 {
		return false
	}
	for _, c := range text[:16] {
		letter := c|0x20 >= 'a' && c|0x20 <= 'z'
		digit := c >= '0' && c <= '9'
		if !letter && !digit && c != '+' && c != '/' && c != '=' {
			return false
		}
	}
	return true
}
