package esa

import (
	"context"
	"net/http"
	"net/url"
	"strings"
)

// authorizeVersion is the API version of the upload authorisation.
const authorizeVersion = "2019-12-19"

// UploadFile puts an object where the service can read it and returns its URL,
// for the Url parameter of PutKvWithHighCapacity, BatchPutKvWithHighCapacity,
// BatchDeleteKvWithHighCapacity and UploadFile.
func (c *Client) UploadFile(ctx context.Context, obj Object) (string, error) {
	var location string
	err := c.Upload(ctx, func(ctx context.Context) (PostForm, error) {
		slot, err := c.authorizeUpload(ctx)
		location = slot.location
		return slot.form, err
	}, obj)
	if err != nil {
		return "", err
	}
	return location, nil
}

type fileSlot struct {
	form     PostForm
	location string
}

// authorizeUpload asks for a slot in the temporary store of ESA.
func (c *Client) authorizeUpload(ctx context.Context) (fileSlot, error) {
	const action = "AuthorizeFileUpload"
	res, err := c.repeat(ctx, request{
		action: action, version: authorizeVersion, method: http.MethodGet,
		query:  map[string]string{"Product": "ESA", "RegionId": c.region},
		target: c.openPlatform, repeatable: true,
	})
	if err != nil {
		return fileSlot{}, err
	}
	slot, err := readFileSlot(res.Body)
	if err != nil {
		slotErr := slotError(err)
		slotErr.Action = action
		return fileSlot{}, slotErr
	}
	return slot, nil
}

func readFileSlot(body map[string]any) (fileSlot, error) {
	texts := make(slotConfig)
	for _, name := range []string{"Bucket", "Endpoint", "ObjectKey", "AccessKeyId", "EncodedPolicy", "Signature"} {
		if texts[name] = textOf(body, name); texts[name] == "" {
			return fileSlot{}, badSlot("the answer has no " + name)
		}
	}
	host := strings.ToLower(texts["Bucket"] + "." + texts["Endpoint"])
	if err := checkHost(host); err != nil {
		return fileSlot{}, badSlot("its host " + err.Error())
	}
	scheme := "https"
	if isLoopback(hostname(host)) {
		scheme = "http"
	}
	key := texts["ObjectKey"]
	file := url.URL{Scheme: "http", Host: host, Path: "/" + key}
	return fileSlot{
		location: file.String(),
		form: PostForm{
			URL: scheme + "://" + host + "/",
			Fields: []Field{
				{"OSSAccessKeyId", texts["AccessKeyId"]}, {"policy", texts["EncodedPolicy"]},
				{"Signature", texts["Signature"]}, {"key", key}, {"success_action_status", "201"},
			},
			FileName: key,
			OK:       []int{http.StatusCreated},
		},
	}, nil
}
