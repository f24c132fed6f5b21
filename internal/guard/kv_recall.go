package guard

// recall remembers a change of the audit log, which other processes share.
func (m *kvMemory) recall(c Change) {
	namespace := scalar(c.Params["Namespace"])
	if m.now().Sub(c.Time) >= KVLag || c.Outcome != Done && c.Outcome != Unknown || namespace == "" || c.Action == "CreateKvNamespace" {
		return
	}
	if c.Undo == nil || len(c.Undo.Expect) == 0 {
		if key := scalar(c.Params["Key"]); key != "" {
			m.add(namespace, key, kvValue{}, kvValue{since: c.Time})
		} else {
			m.blur(namespace, c.Time)
		}
		return
	}
	before := kvBefore(c.Undo.Calls)
	for _, e := range c.Undo.Expect {
		v := kvExpected(e)
		v.since = c.Time
		v.until = expires(func(name string) string { return scalar(c.Params[name]) }, c.Time)
		m.add(namespace, scalar(e.Params["Key"]), before[scalar(e.Params["Key"])], v)
	}
}

// kvExpected is the value of which an expectation speaks.
func kvExpected(e Expect) kvValue {
	if e.Absent {
		return kvValue{sure: true}
	}
	return kvOf(map[string]any{"Value": e.Fields["Value"], base64Field: e.Params[base64Field]})
}

// kvBefore are the values that calls bring back.
func kvBefore(calls []Correction) map[string]kvValue {
	out := map[string]kvValue{}
	one := func(pair map[string]any) { out[scalar(pair["Key"])] = kvOf(pair) }
	for _, call := range calls {
		switch call.Action {
		case "PutKv":
			one(call.Params)
		case "DeleteKv":
			out[scalar(call.Params["Key"])] = kvValue{sure: true}
		}
		pairs, _ := call.Params["KvList"].([]any)
		for _, pair := range pairs {
			one(asObject(pair))
		}
		keys, _ := call.Params["Keys"].([]any)
		for _, key := range keys {
			out[scalar(key)] = kvValue{sure: true}
		}
	}
	return out
}
