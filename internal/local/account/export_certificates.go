package account

import "encoding/json"

// uploads are the certificates of the certificate service.
func (e exporter) uploads() error {
	return e.each(`SELECT cas_id, name, certificate, private_key FROM cas_certificates ORDER BY cas_id`, func(scan func(...any) error) error {
		var u Upload
		err := scan(&u.own, &u.Name, &u.Certificate, &u.PrivateKey)
		e.labels.kinds[u.own] = "certificate"
		e.a.Uploads = append(e.a.Uploads, u)
		return err
	})
}

func (e exporter) certificates() error {
	return e.each(`SELECT site_id, type, name, domain, brand, cas_id, certificate, private_key FROM certificates ORDER BY site_id, created, rowid`,
		func(scan func(...any) error) error {
			var id int64
			var kind, service string
			var c Certificate
			if err := scan(&id, &kind, &c.Name, &c.Domain, &c.Brand, &service, &c.Certificate, &c.PrivateKey); err != nil {
				return err
			}
			switch kind {
			case "free":
				if c.Brand == "lets_encrypt" {
					c.Brand = ""
				}
				c = Certificate{Domain: c.Domain, Brand: c.Brand}
			case "cas":
				c = Certificate{Service: e.labels.word(service)}
			}
			s := e.site(id)
			s.Certificates = append(s.Certificates, c)
			return nil
		})
}

// otherCertificates are those that are not the edge's own.
func (e exporter) otherCertificates() error {
	err := e.each(`SELECT site_id, name, certificate, private_key, whole_site, hostnames FROM origin_client_certificates ORDER BY site_id, created, rowid`,
		func(scan func(...any) error) error {
			var id int64
			var c OriginCertificate
			var hostnames string
			if err := scan(&id, &c.Name, &c.Certificate, &c.PrivateKey, &c.WholeSite, &hostnames); err != nil {
				return err
			}
			s := e.site(id)
			if err := json.Unmarshal([]byte(hostnames), &c.Hostnames); err != nil {
				return err
			}
			s.OriginCertificates = append(s.OriginCertificates, c)
			return nil
		})
	if err != nil {
		return err
	}
	err = e.each(`SELECT site_id, use, name, certificate, revoked, hostnames FROM client_certificates ORDER BY site_id, created, rowid`,
		func(scan func(...any) error) error {
			var id int64
			var use, hostnames string
			var revoked bool
			var c Authority
			if err := scan(&id, &use, &c.Name, &c.Certificate, &revoked, &hostnames); err != nil {
				return err
			}
			s := e.site(id)
			if use == "client" {
				s.ClientCertificates = append(s.ClientCertificates, ClientCertificate{c.Name, c.Certificate, revoked})
				return nil
			}
			c.Of = map[string]string{"client_ca": "clients", "origin_ca": "origins"}[use]
			if err := json.Unmarshal([]byte(hostnames), &c.Hostnames); err != nil {
				return err
			}
			s.Authorities = append(s.Authorities, c)
			return nil
		})
	if err != nil {
		return err
	}
	return e.each(`SELECT site_id, hostnames FROM client_certificate_hostnames`, func(scan func(...any) error) error {
		var id int64
		var hostnames string
		if err := scan(&id, &hostnames); err != nil {
			return err
		}
		return json.Unmarshal([]byte(hostnames), &e.site(id).ClientHostnames)
	})
}
