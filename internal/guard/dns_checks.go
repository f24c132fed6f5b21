package guard

import (
	"context"
	"net/netip"
	"strconv"
	"strings"

	"github.com/esa-mcp/esa-mcp/internal/esa"
)

func fixRecordType(_ context.Context, c *Call) error {
	return eachRecord(c, func(d *draft) error {
		given := d.text("Type")
		if kind := d.kind(); given != "" && kind != given {
			d.put("Type", kind)
			if kind == typeAddress {
				d.fixed("ESA keeps A and AAAA in one type, A/AAAA: used that.")
			} else {
				d.fixed("Types are upper case: used %s.", kind)
			}
		}
		return nil
	})
}

func fixRecordName(ctx context.Context, c *Call) error {
	site, err := siteOfRecord(ctx, c)
	if err != nil || site.Name == "" {
		return err
	}
	return eachRecord(c, func(d *draft) error {
		given := d.text("RecordName")
		full, ok := FullRecordName(given, hostName(site.Name))
		if !ok {
			return d.block(nil, "RecordName %s is not under the site %s: give one that ends with .%s, or the SiteId of its own site (get_site finds it).", given, site.Name, site.Name)
		}
		if full != given {
			d.put("RecordName", full)
			d.fixed("ESA takes full names: used %s.", full)
		}
		return nil
	})
}

func checkCNAMESiteType(ctx context.Context, c *Call) error {
	site, err := siteOfRecord(ctx, c)
	if err != nil || site.AccessType != accessCNAME {
		return err
	}
	return eachRecord(c, func(d *draft) error {
		if d.text("Type") == "" || d.web() {
			return nil
		}
		return d.block(nil, "%s has CNAME access: it takes only A/AAAA and CNAME records. Create the %s record at the domain's DNS provider.", site.Name, d.kind())
	})
}

func checkCNAMESiteProxy(ctx context.Context, c *Call) error {
	site, err := siteOfRecord(ctx, c)
	if err != nil || site.AccessType != accessCNAME {
		return err
	}
	return eachRecord(c, func(d *draft) error {
		switch proxied, said := d.proxied(); {
		case proxied:
		case said:
			return d.block(esa.Params{"Proxied": true}, "%s has CNAME access, where every record is proxied: Proxied cannot be false. A name that is not to be proxied belongs at its DNS provider alone.", site.Name)
		default:
			d.put("Proxied", true)
			d.fixed("%s has CNAME access, where every record is proxied: set Proxied.", site.Name)
		}
		return nil
	})
}

func fixBiz(_ context.Context, c *Call) error {
	return eachRecord(c, func(d *draft) error {
		if !d.isProxied() {
			return nil
		}
		switch d.text("BizName") {
		case "":
			d.put("BizName", "web")
			d.fixed("A proxied record needs a BizName: used web.")
		case "video_image": // as one page of the documentation has it
			d.put("BizName", "image_video")
			d.fixed("ESA has no BizName video_image: used image_video.")
		}
		return nil
	})
}

func checkBizUnproxied(_ context.Context, c *Call) error {
	return eachRecord(c, func(d *draft) error {
		if biz := d.text("BizName"); biz != "" && !d.isProxied() {
			return d.block(esa.Params{"BizName": nil}, "BizName is for proxied records: leave it out, or set Proxied to true.")
		}
		if d.text("HostPolicy") == "" {
			return nil
		}
		if d.text("Type") != "" && d.kind() != typeCNAME {
			return d.block(esa.Params{"HostPolicy": nil}, "HostPolicy is for CNAME records: leave it out for %s.", d.kind())
		}
		if !d.isProxied() {
			return d.block(esa.Params{"HostPolicy": nil}, "HostPolicy is for proxied records: leave it out, or set Proxied to true.")
		}
		return nil
	})
}

// The bounds of a TTL, in seconds, beside 1 for automatic.
const (
	minTTL = 30
	maxTTL = 86400
)

func checkTTL(_ context.Context, c *Call) error {
	return eachRecord(c, func(d *draft) error {
		given := d.text("Ttl")
		ttl, err := strconv.ParseInt(given, 10, 64)
		if given == "" || err != nil || ttl == 1 || ttl >= minTTL && ttl <= maxTTL {
			return nil // what is no number is the client's to refuse
		}
		nearest := min(max(ttl, minTTL), maxTTL)
		if ttl <= 0 {
			nearest = 1
		}
		return d.block(esa.Params{"Ttl": nearest}, "Ttl %d: give 1 (automatic) or %d to %d seconds.", ttl, minTTL, maxTTL)
	})
}

// sourceTypes are what a CNAME can point at.
var sourceTypes = [...]string{"Domain", "OSS", "S3", "LB", "OP"}

func checkSourceType(_ context.Context, c *Call) error {
	return eachRecord(c, func(d *draft) error {
		if d.text("Type") != "" && d.kind() != typeCNAME {
			if d.text("SourceType") != "" {
				return d.block(esa.Params{"SourceType": nil, "AuthConf": nil}, "SourceType is for CNAME records: leave it out for %s.", d.kind())
			}
			return nil
		}
		source := d.text("SourceType")
		for _, name := range sourceTypes {
			if source != name && strings.EqualFold(source, name) {
				d.put("SourceType", name)
				d.fixed("SourceType is written %s: used that.", name)
				source = name
			}
		}
		auth := d.object("AuthConf")
		if source == "" && auth != nil {
			if source = bucketKind(d.content()); source == "" {
				return d.block(nil, "AuthConf without a SourceType is ignored, because the default is Domain: set SourceType to OSS or S3, or leave AuthConf out.")
			}
			d.put("SourceType", source)
			d.fixed("AuthConf means nothing without a SourceType: used %s, which the target is.", source)
		}
		if (source == "OSS" || source == "S3") && len(auth) == 0 {
			return d.block(esa.Params{"AuthConf": map[string]any{"AuthType": "public"}},
				"A %s source needs AuthConf: AuthType public for a bucket that everybody may read, otherwise private with its keys (create_record reads them from auth_file).", source)
		}
		return nil
	})
}

// bucketKind tells by a host name whose bucket it is.
func bucketKind(host string) string {
	switch host = hostName(host); {
	case strings.HasSuffix(host, ".aliyuncs.com") && strings.Contains(host, "oss-"):
		return "OSS"
	case strings.HasSuffix(host, ".amazonaws.com"):
		return "S3"
	}
	return ""
}

func checkPrivateIP(_ context.Context, c *Call) error {
	return eachRecord(c, func(d *draft) error {
		if !d.isProxied() || d.text("Type") != "" && d.kind() != typeAddress {
			return nil
		}
		for part := range strings.SplitSeq(d.content(), ",") {
			ip, err := netip.ParseAddr(strings.TrimSpace(part))
			if err != nil || !private(ip) || ip.IsLoopback() && d.localOrigins {
				continue
			}
			return d.block(nil, "%s is a private or reserved address, which the edge cannot reach: give the origin's public address, or set Proxied to false.", ip)
		}
		return nil
	})
}

// private reports whether an address is one that no public origin can have. The
// blocks for documentation are let pass: examples use them.
func private(ip netip.Addr) bool {
	ip = ip.Unmap()
	if !ip.IsGlobalUnicast() || ip.IsPrivate() {
		return true
	}
	for _, block := range []string{"0.0.0.0/8", "100.64.0.0/10", "198.18.0.0/15", "240.0.0.0/4"} {
		if netip.MustParsePrefix(block).Contains(ip) {
			return true
		}
	}
	return false
}
