package catalog

import (
	"path"
	"strings"
)

// CachedByDefault reports whether a path's extension is one whose files the
// service caches without any rule.
func CachedByDefault(requestPath string) bool {
	switch strings.ToLower(strings.TrimPrefix(path.Ext(requestPath), ".")) {
	case "7z", "aac", "ai", "apk", "avi", "avif", "bin", "bmp", "bz2", "class", "css", "csv", "deb", "dmg", "doc", "docx", "ejs", "eot",
		"eps", "exe", "flac", "flv", "gif", "gz", "ico", "iso", "jar", "jpeg", "jpg", "js", "m4a", "m4s", "mid", "midi", "mjs", "mkv",
		"mov", "mp3", "mp4", "mpeg", "mpg", "msi", "ogg", "otf", "pdf", "pict", "pls", "png", "ppt", "pptx", "ps", "rar", "rpm", "svg",
		"svgz", "swf", "tar", "tgz", "tif", "tiff", "ts", "ttf", "txt", "wasm", "wav", "webm", "webp", "wma", "wmv", "woff", "woff2",
		"xls", "xlsx", "xz", "zip", "zst":
		return true
	}
	return false
}
