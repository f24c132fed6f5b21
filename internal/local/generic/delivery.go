package generic

import (
	"context"
	"database/sql"
	"strings"

	"github.com/esa-mcp/esa-mcp/internal/local/api"
	"github.com/esa-mcp/esa-mcp/internal/local/quota"
	"github.com/esa-mcp/esa-mcp/internal/local/values"
)

// delivery are the tasks that deliver logs in real time, of sites and of the
// account. The local ESA delivers nothing: it keeps the tasks.
func delivery() []kind {
	task := kind{
		what: "delivery task", id: "TaskName", unique: "TaskName", member: "Tasks",
		aliases:  map[string]string{"FieldList": "FieldName"},
		defaults: map[string]any{"Status": "online", "DataCenter": "cn", "DiscardRate": 0},
		check: func(_ context.Context, _ *sql.Tx, _ *Service, it *item, _ api.Params) error {
			if sink := sinkOf(it.text("DeliveryType")); it.fields[sink] == nil {
				return api.Errorf(400, "Missing"+sink, "%s is mandatory here: DeliveryType %s needs it.", sink, it.text("DeliveryType"))
			}
			return nil
		},
		view: func(_ context.Context, _ *sql.Tx, it *item, m map[string]any) error {
			m["SinkConfig"] = it.fields[sinkOf(it.text("DeliveryType"))]
			return nil
		},
	}
	ofSite, ofUser := task, task
	ofSite.name, ofSite.site, ofSite.quota = "SiteDeliveryTask", true, quota.DeliveryTasks
	ofSite.create, ofSite.update, ofSite.get, ofSite.remove = "CreateSiteDeliveryTask", "UpdateSiteDeliveryTask", "GetSiteDeliveryTask", "DeleteSiteDeliveryTask"
	ofSite.list, ofSite.verbs, ofSite.byID = "ListSiteDeliveryTasks", map[string]change{"UpdateSiteDeliveryTaskStatus": switchTask}, true
	ofUser.name, ofUser.quota = "UserDeliveryTask", quota.UserDeliveryTasks
	ofUser.create, ofUser.update, ofUser.get, ofUser.remove = "CreateUserDeliveryTask", "UpdateUserDeliveryTask", "GetUserDeliveryTask", "DeleteUserDeliveryTask"
	ofUser.list, ofUser.verbs = "ListUserDeliveryTasks", map[string]change{"UpdateUserDeliveryTaskStatus": switchTask}
	return []kind{ofSite, ofUser}
}

// sinkOf is the parameter that says where a type of delivery goes.
func sinkOf(deliveryType string) string {
	switch deliveryType {
	case "sls":
		return "SlsDelivery"
	case "http":
		return "HttpDelivery"
	case "kafka":
		return "KafkaDelivery"
	case "oss":
		return "OssDelivery"
	}
	return "S3Delivery"
}

func switchTask(_ context.Context, _ *sql.Tx, _ *Service, it *item, sent api.Params) (map[string]any, error) {
	method := strings.ToLower(sent.String("Method"))
	if err := oneOf("Method", method, "online", "offline"); err != nil {
		return nil, err
	}
	it.set("Status", method)
	return nil, nil
}

// logSettings are the fields that logs have besides the usual ones.
func logSettings() []setting {
	return []setting{{
		name: "SiteCustomLog", get: "GetSiteCustomLog", set: []string{"CreateSiteCustomLog", "UpdateSiteCustomLog"},
		check: func(_ context.Context, _ *sql.Tx, _ *Service, fields map[string]any) error {
			for _, name := range []string{"Cookies", "RequestHeaders", "ResponseHeaders"} {
				if n := len(list(fields[name])); n > 20 {
					return values.Invalid(name, "it has %d names, more than 20", n)
				}
			}
			return nil
		},
		view: func(fields map[string]any) {
			custom := map[string]any{}
			for _, name := range []string{"Cookies", "RequestHeaders", "ResponseHeaders"} {
				custom[name] = filled(list(fields[name]))
			}
			fields["IsExist"] = fields["Cookies"] != nil || fields["RequestHeaders"] != nil || fields["ResponseHeaders"] != nil
			fields["LogCustomField"] = custom
		},
	}}
}
