package catalog

import (
	"path"
	"slices"
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

// CachesPort reports whether the service caches answers to requests for a host,
// which may have a port: at those of its ports that are no standard ones only if
// AdditionalCacheablePorts of a cache rule lists them. Another port is that of a
// local edge, which counts as a standard one.
func CachesPort(host, additional string) bool {
	_, port, _ := strings.Cut(host, ":")
	switch port {
	case "8880", "2052", "2082", "2086", "2095", "2053", "2083", "2087", "2096":
		return slices.Contains(strings.FieldsFunc(additional, func(r rune) bool { return r == ',' || r == ' ' }), port)
	}
	return true
}
