package esa

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// PostForm is an upload slot of the object store: where to post, the fields
// that go before the file, and the HTTP statuses that mean success.
type PostForm struct {
	URL    string
	Fields []Field
	// FileName is the name that the file part carries; empty is the object's.
	FileName string
	OK       []int
}

// Field is one form field.
type Field struct{ Name, Value string }

const tokenField = "x-oss-security-token"

// AssetsForm reads the OssPostConfig that CreateRoutineWithAssetsCodeVersion
// answers, given as a map or as any value with that JSON form. The names on the
// form differ from those of the answer.
func AssetsForm(oss any) (PostForm, error) {
	config, err := ossConfig(oss)
	if err != nil {
		return PostForm{}, err
	}
	form := PostForm{OK: []int{http.StatusOK, http.StatusNoContent}}
	if form.URL, err = config.need("Url"); err != nil {
		return PostForm{}, err
	}
	for _, name := range []string{"key", "OSSAccessKeyId", "policy", "Signature"} {
		value, err := config.need(name)
		if err != nil {
			return PostForm{}, err
		}
		form.Fields = append(form.Fields, Field{name, value})
	}
	if token := config.get("XOssSecurityToken"); token != "" {
		form.Fields = append(form.Fields, Field{tokenField, token})
	}
	return form, form.check()
}

// ScriptForm reads the OssPostConfig that GetRoutineStagingCodeUploadInfo
// answers. Every key but Url becomes a field, the callback among them, so that
// only 200 means that the service knows of the script.
func ScriptForm(oss any) (PostForm, error) {
	config, err := ossConfig(oss)
	if err != nil {
		return PostForm{}, err
	}
	form := PostForm{OK: []int{http.StatusOK}, FileName: "index.js"}
	if form.URL, err = config.need("Url"); err != nil {
		return PostForm{}, err
	}
	for _, name := range []string{"key", "OSSAccessKeyId", "policy", "Signature"} {
		if _, err := config.need(name); err != nil {
			return PostForm{}, err
		}
	}
	for _, name := range slices.Sorted(maps.Keys(config)) {
		switch value := config[name]; {
		case strings.EqualFold(name, "Url"):
		case strings.EqualFold(name, "XOssSecurityToken"):
			if value != "" {
				form.Fields = append(form.Fields, Field{tokenField, value})
			}
		default:
			form.Fields = append(form.Fields, Field{name, value})
		}
	}
	return form, form.check()
}

// check refuses a form that cannot be posted.
func (f PostForm) check() error {
	u, err := url.Parse(f.URL)
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
		return badSlot("its Url is no http or https address")
	}
	if len(f.OK) == 0 {
		return fmt.Errorf("upload form: OK lists no HTTP status that means success")
	}
	for _, field := range f.Fields {
		if field.Name == "" || field.Name == "file" {
			return badSlot(fmt.Sprintf("it has a field named %q", field.Name))
		}
	}
	return nil
}

func badSlot(why string) *Error {
	return &Error{Code: CodeBadAnswer, Message: "the service's upload slot is not usable: " + why}
}

// slotConfig is an OssPostConfig: texts by name.
type slotConfig map[string]string

func ossConfig(oss any) (slotConfig, error) {
	v, err := normalize(oss)
	if err != nil {
		return nil, fmt.Errorf("read OssPostConfig: %w", err)
	}
	object, ok := fromText(v).(map[string]any)
	if !ok {
		return nil, badSlot("OssPostConfig is missing")
	}
	config := make(slotConfig, len(object))
	for name, value := range object {
		switch value.(type) {
		case string, json.Number, bool:
		default:
			return nil, badSlot(name + " is not a text")
		}
		if config[name], err = plainText(value); err != nil {
			return nil, fmt.Errorf("read OssPostConfig: %w", err)
		}
	}
	return config, nil
}

// get finds a value without regard to case: Key and Policy are written both
// ways by the service.
func (c slotConfig) get(name string) string {
	if v, ok := c[name]; ok {
		return v
	}
	for n, v := range c {
		if strings.EqualFold(n, name) {
			return v
		}
	}
	return ""
}

func (c slotConfig) need(name string) (string, error) {
	if v := c.get(name); v != "" {
		return v, nil
	}
	return "", badSlot("OssPostConfig has no " + name)
}
