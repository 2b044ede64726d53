BEGIN TRANSACTION;
CREATE TABLE api_keys (
	"key" INTEGER NOT NULL, 
	id VARCHAR(36) NOT NULL, 
	prefix VARCHAR(32) NOT NULL, 
	salt BLOB NOT NULL, 
	hash BLOB NOT NULL, 
	user_key INTEGER, 
	station_key INTEGER, 
	created_at BIGINT NOT NULL, 
	CONSTRAINT pk_api_keys PRIMARY KEY ("key"), 
	CONSTRAINT uq_api_keys_id UNIQUE (id), 
	CONSTRAINT uq_api_keys_prefix UNIQUE (prefix), 
	CONSTRAINT fk_api_keys_user_key FOREIGN KEY(user_key) REFERENCES users ("key"), 
	CONSTRAINT fk_api_keys_station_key FOREIGN KEY(station_key) REFERENCES stations ("key")
);
INSERT INTO "api_keys" VALUES(1,'d116d95a-6fba-4c56-9b21-5ac975dc0bfa','be11076ec6d7',X'51D56C3F0E30CA2F81296554EFFB8A4B',X'3051987B5666A023C598FF1DDB0804030F1E48D79E000640E68575B0EFA5BAB75B4A81017BE7809C342C1E855879606F114D2D8E421EAE6BC811552573512CF4',NULL,1,1795507113456991);
CREATE TABLE attachments (
	"key" INTEGER NOT NULL, 
	id VARCHAR(36) NOT NULL, 
	run_key INTEGER NOT NULL, 
	name TEXT NOT NULL, 
	mime_type TEXT, 
	size BIGINT, 
	sha256 VARCHAR(64), 
	stored BOOLEAN NOT NULL, 
	CONSTRAINT pk_attachments PRIMARY KEY ("key"), 
	CONSTRAINT uq_attachments_id UNIQUE (id), 
	CONSTRAINT fk_attachments_run_key FOREIGN KEY(run_key) REFERENCES runs ("key") ON DELETE CASCADE
);
INSERT INTO "attachments" VALUES(1,'70c89cad-b3de-4dff-a29f-720c4467f427',1,'note.txt','text/plain',13,'91e4d98942cfb8fe01b1ee321177518ca1e5be14bdbd0556c6d25b026cb81ec7',1);
INSERT INTO "attachments" VALUES(2,'48ff3a68-ee95-4256-85b1-45ba2b76a6f1',1,'own-1.txt','text/plain',6,'282832bf5600024e20cb23703e88cb9c287e6c34381c2038559e81b4f74e03bd',1);
INSERT INTO "attachments" VALUES(3,'f7db3c61-312b-40d7-91e2-8a42dc3d9296',2,'note.txt','text/plain',13,'91e4d98942cfb8fe01b1ee321177518ca1e5be14bdbd0556c6d25b026cb81ec7',1);
INSERT INTO "attachments" VALUES(4,'39b47292-f839-473a-9e45-387088fbc0fa',2,'own-2.txt','text/plain',6,'3d46d5759c4b3d13868f984299fbd342667b90df44d1b5a67ee89186e5a57f71',1);
INSERT INTO "attachments" VALUES(5,'e2d35bf2-eb89-4f27-bb6f-80908f075aa4',3,'note.txt','text/plain',13,'91e4d98942cfb8fe01b1ee321177518ca1e5be14bdbd0556c6d25b026cb81ec7',1);
INSERT INTO "attachments" VALUES(6,'390ec198-4685-4f93-b0bd-d9a818eb2d19',3,'own-3.txt','text/plain',6,'517bd266044a0564123633b400872754a77f8b6bac58de9d40e0ac406aec8d27',1);
CREATE TABLE batches (
	"key" INTEGER NOT NULL, 
	id VARCHAR(36) NOT NULL, 
	number TEXT NOT NULL, 
	number_key TEXT NOT NULL, 
	CONSTRAINT pk_batches PRIMARY KEY ("key"), 
	CONSTRAINT uq_batches_id UNIQUE (id), 
	CONSTRAINT uq_batches_number_key UNIQUE (number_key)
);
INSERT INTO "batches" VALUES(1,'a7a7ec08-1409-447a-9e56-e17652092f50','B-7','b-7');
CREATE TABLE idempotency_keys (
	idempotency_key VARCHAR(255) NOT NULL, 
	digest VARCHAR(64) NOT NULL, 
	run_key INTEGER NOT NULL, 
	CONSTRAINT pk_idempotency_keys PRIMARY KEY (idempotency_key), 
	CONSTRAINT fk_idempotency_keys_run_key FOREIGN KEY(run_key) REFERENCES runs ("key") ON DELETE CASCADE
)
 WITHOUT ROWID

;
CREATE TABLE logs (
	run_key INTEGER NOT NULL, 
	position INTEGER NOT NULL, 
	level VARCHAR(16) NOT NULL, 
	timestamp TEXT NOT NULL, 
	message TEXT NOT NULL, 
	source_file TEXT NOT NULL, 
	line_number BIGINT NOT NULL, 
	CONSTRAINT pk_logs PRIMARY KEY (run_key, position), 
	CONSTRAINT fk_logs_run_key FOREIGN KEY(run_key) REFERENCES runs ("key") ON DELETE CASCADE
)
 WITHOUT ROWID

;
INSERT INTO "logs" VALUES(1,0,'INFO','2024-01-15T10:35:00Z','up','rig.py',7);
INSERT INTO "logs" VALUES(2,0,'INFO','2024-01-15T10:35:00Z','up','rig.py',7);
INSERT INTO "logs" VALUES(3,0,'INFO','2024-01-15T10:35:00Z','up','rig.py',7);
CREATE TABLE measurements (
	run_key INTEGER NOT NULL, 
	phase_position INTEGER NOT NULL, 
	position INTEGER NOT NULL, 
	name TEXT NOT NULL, 
	outcome VARCHAR(16) NOT NULL, 
	value TEXT, 
	value_number DOUBLE, 
	units TEXT, 
	lower_limit TEXT, 
	upper_limit TEXT, 
	validators TEXT, 
	docstring TEXT, 
	CONSTRAINT pk_measurements PRIMARY KEY (run_key, phase_position, position), 
	CONSTRAINT fk_measurements_run_key FOREIGN KEY(run_key) REFERENCES runs ("key") ON DELETE CASCADE
)
 WITHOUT ROWID

;
INSERT INTO "measurements" VALUES(1,0,0,'voltage','PASS','3.251',3.251,'"V"','3.0','4.5',NULL,NULL);
INSERT INTO "measurements" VALUES(1,0,1,'count','PASS','5',5.0,NULL,'1','9','["1 <= x < 9"]','Counted by hand.');
INSERT INTO "measurements" VALUES(1,0,2,'zero','PASS','0.0',0.0,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "measurements" VALUES(1,0,3,'minus_zero','PASS','-0.0',0.0,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "measurements" VALUES(1,0,4,'huge','PASS','1180591620717411303424',1.18059162071741130344e+21,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "measurements" VALUES(1,0,5,'text','FAIL','"ok"',NULL,NULL,NULL,NULL,'["one of ok, fine"]',NULL);
INSERT INTO "measurements" VALUES(1,0,6,'yes','PASS','true',NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "measurements" VALUES(1,0,7,'nothing','PASS',NULL,NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "measurements" VALUES(1,1,0,'voltage','PASS','3.251',3.251,'"V"','3.0','4.5',NULL,NULL);
INSERT INTO "measurements" VALUES(1,1,1,'voltage','PASS','3.251',3.251,'"V"','3.0','4.5',NULL,NULL);
INSERT INTO "measurements" VALUES(1,1,2,'sweep','UNSET','[[1.0,-1.5],[2.0,"NaN"]]',NULL,'["Hz","dB"]',NULL,NULL,NULL,NULL);
INSERT INTO "measurements" VALUES(2,0,0,'voltage','PASS','3.252',3.252,'"V"','3.0','5.5',NULL,NULL);
INSERT INTO "measurements" VALUES(2,0,1,'count','PASS','5',5.0,NULL,'1','9','["1 <= x < 9"]','Counted by hand.');
INSERT INTO "measurements" VALUES(2,0,2,'zero','PASS','0.0',0.0,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "measurements" VALUES(2,0,3,'minus_zero','PASS','-0.0',0.0,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "measurements" VALUES(2,0,4,'huge','PASS','1180591620717411303424',1.18059162071741130344e+21,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "measurements" VALUES(2,0,5,'text','FAIL','"ok"',NULL,NULL,NULL,NULL,'["one of ok, fine"]',NULL);
INSERT INTO "measurements" VALUES(2,0,6,'yes','PASS','true',NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "measurements" VALUES(2,0,7,'nothing','PASS',NULL,NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "measurements" VALUES(2,1,0,'voltage','PASS','3.252',3.252,'"V"','3.0','5.5',NULL,NULL);
INSERT INTO "measurements" VALUES(2,1,1,'voltage','PASS','3.252',3.252,'"V"','3.0','5.5',NULL,NULL);
INSERT INTO "measurements" VALUES(2,1,2,'sweep','UNSET','[[1.0,-1.5],[2.0,"NaN"]]',NULL,'["Hz","dB"]',NULL,NULL,NULL,NULL);
INSERT INTO "measurements" VALUES(3,0,0,'voltage','PASS','3.253',3.253,'"V"','3.0','6.5',NULL,NULL);
INSERT INTO "measurements" VALUES(3,0,1,'count','PASS','5',5.0,NULL,'1','9','["1 <= x < 9"]','Counted by hand.');
INSERT INTO "measurements" VALUES(3,0,2,'zero','PASS','0.0',0.0,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "measurements" VALUES(3,0,3,'minus_zero','PASS','-0.0',0.0,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "measurements" VALUES(3,0,4,'huge','PASS','1180591620717411303424',1.18059162071741130344e+21,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "measurements" VALUES(3,0,5,'text','FAIL','"ok"',NULL,NULL,NULL,NULL,'["one of ok, fine"]',NULL);
INSERT INTO "measurements" VALUES(3,0,6,'yes','PASS','true',NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "measurements" VALUES(3,0,7,'nothing','PASS',NULL,NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "measurements" VALUES(3,1,0,'voltage','PASS','3.253',3.253,'"V"','3.0','6.5',NULL,NULL);
INSERT INTO "measurements" VALUES(3,1,1,'voltage','PASS','3.253',3.253,'"V"','3.0','6.5',NULL,NULL);
INSERT INTO "measurements" VALUES(3,1,2,'sweep','UNSET','[[1.0,-1.5],[2.0,"NaN"]]',NULL,'["Hz","dB"]',NULL,NULL,NULL,NULL);
CREATE TABLE parts (
	"key" INTEGER NOT NULL, 
	id VARCHAR(36) NOT NULL, 
	number TEXT NOT NULL, 
	number_key TEXT NOT NULL, 
	name TEXT, 
	CONSTRAINT pk_parts PRIMARY KEY ("key"), 
	CONSTRAINT uq_parts_id UNIQUE (id), 
	CONSTRAINT uq_parts_number_key UNIQUE (number_key)
);
INSERT INTO "parts" VALUES(1,'02cf8e6e-3053-49dc-ad99-e7b261b1e8be','PCB-1','pcb-1',NULL);
CREATE TABLE phases (
	run_key INTEGER NOT NULL, 
	position INTEGER NOT NULL, 
	name TEXT NOT NULL, 
	outcome VARCHAR(16) NOT NULL, 
	start_time_millis DOUBLE NOT NULL, 
	end_time_millis DOUBLE NOT NULL, 
	docstring TEXT, 
	CONSTRAINT pk_phases PRIMARY KEY (run_key, position), 
	CONSTRAINT fk_phases_run_key FOREIGN KEY(run_key) REFERENCES runs ("key") ON DELETE CASCADE
)
 WITHOUT ROWID

;
INSERT INTO "phases" VALUES(1,0,'Power','PASS',1705314900000.0,1705314901000.0,NULL);
INSERT INTO "phases" VALUES(1,1,'Again / Power','FAIL',1705318500000.0,1705318500000.0,NULL);
INSERT INTO "phases" VALUES(2,0,'Power','PASS',1705314900000.0,1705314901000.0,NULL);
INSERT INTO "phases" VALUES(2,1,'Again / Power','FAIL',1705322100000.0,1705322100000.0,NULL);
INSERT INTO "phases" VALUES(3,0,'Power','PASS',1705314900000.0,1705314901000.0,NULL);
INSERT INTO "phases" VALUES(3,1,'Again / Power','FAIL',1705314900000.0,1705314900000.0,NULL);
CREATE TABLE procedure_versions (
	"key" INTEGER NOT NULL, 
	id VARCHAR(36) NOT NULL, 
	procedure_key INTEGER NOT NULL, 
	tag TEXT NOT NULL, 
	tag_key TEXT NOT NULL, 
	CONSTRAINT pk_procedure_versions PRIMARY KEY ("key"), 
	CONSTRAINT uq_procedure_versions_procedure_key_tag_key UNIQUE (procedure_key, tag_key), 
	CONSTRAINT uq_procedure_versions_id UNIQUE (id), 
	CONSTRAINT fk_procedure_versions_procedure_key FOREIGN KEY(procedure_key) REFERENCES procedures ("key")
);
INSERT INTO "procedure_versions" VALUES(1,'5e0069ba-abed-47e3-96e9-abf3110d781d',1,'1.2.3','1.2.3');
INSERT INTO "procedure_versions" VALUES(2,'ff805d0e-8250-4b69-9f60-7f7d147aeaca',2,'1.2.3','1.2.3');
CREATE TABLE procedures (
	"key" INTEGER NOT NULL, 
	id VARCHAR(36) NOT NULL, 
	identifier TEXT, 
	identifier_key TEXT, 
	name TEXT NOT NULL, 
	name_key TEXT NOT NULL, 
	created_at BIGINT NOT NULL, 
	CONSTRAINT pk_procedures PRIMARY KEY ("key"), 
	CONSTRAINT uq_procedures_id UNIQUE (id), 
	CONSTRAINT uq_procedures_identifier_key UNIQUE (identifier_key)
);
INSERT INTO "procedures" VALUES(1,'c323eeb8-1588-4940-92ed-1fc271e7cc69',NULL,NULL,'Function Test','function test',1795507113367391);
INSERT INTO "procedures" VALUES(2,'99c13b45-a830-4bc4-a068-c33543435ace',NULL,NULL,'Burn in','burn in',1795507113391270);
CREATE TABLE revisions (
	"key" INTEGER NOT NULL, 
	id VARCHAR(36) NOT NULL, 
	part_key INTEGER NOT NULL, 
	number TEXT NOT NULL, 
	number_key TEXT NOT NULL, 
	CONSTRAINT pk_revisions PRIMARY KEY ("key"), 
	CONSTRAINT uq_revisions_part_key_number_key UNIQUE (part_key, number_key), 
	CONSTRAINT uq_revisions_id UNIQUE (id), 
	CONSTRAINT fk_revisions_part_key FOREIGN KEY(part_key) REFERENCES parts ("key")
);
INSERT INTO "revisions" VALUES(1,'8585d8e3-6b0b-427f-b0ad-0c0c22042258',1,'A','a');
CREATE TABLE run_documents (
	run_key INTEGER NOT NULL, 
	sidecar TEXT, 
	report TEXT, 
	CONSTRAINT pk_run_documents PRIMARY KEY (run_key), 
	CONSTRAINT fk_run_documents_run_key FOREIGN KEY(run_key) REFERENCES runs ("key") ON DELETE CASCADE
);
INSERT INTO "run_documents" VALUES(1,'{"rigbridge":1,"run_id":"00000000-0000-0000-0000-000000000001","overlay":{"~":{"station":{"=":"rig-7"},"phases":{"~":{"0":{"~":{"measurements":{"~":{"1":{"~":{"limits":{"~":{"upper_inclusive":{"=":false}}},"validators":{"=":[]}}}}}}},"1":{"~":{"name":{"=":"Power"},"started_at":{"=":null},"ended_at":{"=":null},"path":{"=":["Again"]},"measurements":{"~":{"2":{"~":{"value":{"~":{"axes":{"~":{"0":{"~":{"name":{"=":"f"}}},"1":{"~":{"name":{"=":"g"}}}}}}}}}}}}}}},"metadata":{"~":{"shift":{"=":"late"},"slots":{"=":[1,2]}}}}},"attachments":[{"name":"note.txt","media_type":"text/plain","size":13,"sha256":"91e4d98942cfb8fe01b1ee321177518ca1e5be14bdbd0556c6d25b026cb81ec7"},{"name":"own-1.txt","media_type":"text/plain","size":6,"sha256":"282832bf5600024e20cb23703e88cb9c287e6c34381c2038559e81b4f74e03bd"}]}','{"mapped":{},"coerced":[{"item":"limit","rule":"exclusive bound also said as a validator","count":1},{"item":"phase time","rule":"unknown end filled from its start","count":1},{"item":"phase time","rule":"unknown time filled from the run''s start","count":1},{"item":"value","rule":"non-finite number spelled as text","count":1}],"dropped":[],"entries":[{"disposition":"coerced","item":"limit","rule":"exclusive bound also said as a validator","line":null,"path":"$.phases[0].measurements[1]","detail":"1 <= x < 9"},{"disposition":"coerced","item":"phase time","rule":"unknown time filled from the run''s start","line":null,"path":"$.phases[1].started_at","detail":null},{"disposition":"coerced","item":"phase time","rule":"unknown end filled from its start","line":null,"path":"$.phases[1].ended_at","detail":null},{"disposition":"coerced","item":"value","rule":"non-finite number spelled as text","line":null,"path":"$.phases[1].measurements[2].value","detail":null}],"unlisted":0}');
INSERT INTO "run_documents" VALUES(2,'{"rigbridge":1,"run_id":"00000000-0000-0000-0000-000000000002","overlay":{"~":{"station":{"=":"rig-7"},"phases":{"~":{"0":{"~":{"measurements":{"~":{"1":{"~":{"limits":{"~":{"upper_inclusive":{"=":false}}},"validators":{"=":[]}}}}}}},"1":{"~":{"name":{"=":"Power"},"started_at":{"=":null},"ended_at":{"=":null},"path":{"=":["Again"]},"measurements":{"~":{"2":{"~":{"value":{"~":{"axes":{"~":{"0":{"~":{"name":{"=":"f"}}},"1":{"~":{"name":{"=":"g"}}}}}}}}}}}}}}},"metadata":{"~":{"shift":{"=":"late"},"slots":{"=":[1,2]}}}}},"attachments":[{"name":"note.txt","media_type":"text/plain","size":13,"sha256":"91e4d98942cfb8fe01b1ee321177518ca1e5be14bdbd0556c6d25b026cb81ec7"},{"name":"own-2.txt","media_type":"text/plain","size":6,"sha256":"3d46d5759c4b3d13868f984299fbd342667b90df44d1b5a67ee89186e5a57f71"}]}','{"mapped":{},"coerced":[{"item":"limit","rule":"exclusive bound also said as a validator","count":1},{"item":"phase time","rule":"unknown end filled from its start","count":1},{"item":"phase time","rule":"unknown time filled from the run''s start","count":1},{"item":"value","rule":"non-finite number spelled as text","count":1},{"item":"voltage","rule":"rounded","count":1}],"dropped":[],"entries":[{"disposition":"coerced","item":"voltage","rule":"rounded","line":null,"path":"$.x","detail":null},{"disposition":"coerced","item":"limit","rule":"exclusive bound also said as a validator","line":null,"path":"$.phases[0].measurements[1]","detail":"1 <= x < 9"},{"disposition":"coerced","item":"phase time","rule":"unknown time filled from the run''s start","line":null,"path":"$.phases[1].started_at","detail":null},{"disposition":"coerced","item":"phase time","rule":"unknown end filled from its start","line":null,"path":"$.phases[1].ended_at","detail":null},{"disposition":"coerced","item":"value","rule":"non-finite number spelled as text","line":null,"path":"$.phases[1].measurements[2].value","detail":null}],"unlisted":0}');
INSERT INTO "run_documents" VALUES(3,'{"rigbridge":1,"run_id":"00000000-0000-0000-0000-000000000003","overlay":{"~":{"station":{"=":"rig-7"},"phases":{"~":{"0":{"~":{"measurements":{"~":{"1":{"~":{"limits":{"~":{"upper_inclusive":{"=":false}}},"validators":{"=":[]}}}}}}},"1":{"~":{"name":{"=":"Power"},"started_at":{"=":null},"ended_at":{"=":null},"path":{"=":["Again"]},"measurements":{"~":{"2":{"~":{"value":{"~":{"axes":{"~":{"0":{"~":{"name":{"=":"f"}}},"1":{"~":{"name":{"=":"g"}}}}}}}}}}}}}}},"metadata":{"~":{"shift":{"=":"late"},"slots":{"=":[1,2]}}}}},"attachments":[{"name":"note.txt","media_type":"text/plain","size":13,"sha256":"91e4d98942cfb8fe01b1ee321177518ca1e5be14bdbd0556c6d25b026cb81ec7"},{"name":"own-3.txt","media_type":"text/plain","size":6,"sha256":"517bd266044a0564123633b400872754a77f8b6bac58de9d40e0ac406aec8d27"}]}','{"mapped":{},"coerced":[{"item":"limit","rule":"exclusive bound also said as a validator","count":1},{"item":"phase time","rule":"unknown end filled from its start","count":1},{"item":"phase time","rule":"unknown time filled from the run''s earliest time","count":1},{"item":"value","rule":"non-finite number spelled as text","count":1}],"dropped":[],"entries":[{"disposition":"coerced","item":"limit","rule":"exclusive bound also said as a validator","line":null,"path":"$.phases[0].measurements[1]","detail":"1 <= x < 9"},{"disposition":"coerced","item":"phase time","rule":"unknown time filled from the run''s earliest time","line":null,"path":"$.phases[1].started_at","detail":null},{"disposition":"coerced","item":"phase time","rule":"unknown end filled from its start","line":null,"path":"$.phases[1].ended_at","detail":null},{"disposition":"coerced","item":"value","rule":"non-finite number spelled as text","line":null,"path":"$.phases[1].measurements[2].value","detail":null}],"unlisted":0}');
CREATE TABLE runs (
	"key" INTEGER NOT NULL, 
	id VARCHAR(36) NOT NULL, 
	created_at BIGINT NOT NULL, 
	started_at BIGINT, 
	ended_at BIGINT, 
	duration BIGINT, 
	outcome VARCHAR(16) NOT NULL, 
	docstring TEXT, 
	procedure_key INTEGER NOT NULL, 
	version_key INTEGER, 
	unit_key INTEGER NOT NULL, 
	part_key INTEGER, 
	revision_key INTEGER, 
	batch_key INTEGER, 
	operator_key INTEGER, 
	creator_user_key INTEGER, 
	creator_station_key INTEGER, 
	head TEXT NOT NULL, 
	digest VARCHAR(64), 
	CONSTRAINT pk_runs PRIMARY KEY ("key"), 
	CONSTRAINT uq_runs_id UNIQUE (id), 
	CONSTRAINT fk_runs_procedure_key FOREIGN KEY(procedure_key) REFERENCES procedures ("key"), 
	CONSTRAINT fk_runs_version_key FOREIGN KEY(version_key) REFERENCES procedure_versions ("key"), 
	CONSTRAINT fk_runs_unit_key FOREIGN KEY(unit_key) REFERENCES units ("key"), 
	CONSTRAINT fk_runs_part_key FOREIGN KEY(part_key) REFERENCES parts ("key"), 
	CONSTRAINT fk_runs_revision_key FOREIGN KEY(revision_key) REFERENCES revisions ("key"), 
	CONSTRAINT fk_runs_batch_key FOREIGN KEY(batch_key) REFERENCES batches ("key"), 
	CONSTRAINT fk_runs_operator_key FOREIGN KEY(operator_key) REFERENCES users ("key"), 
	CONSTRAINT fk_runs_creator_user_key FOREIGN KEY(creator_user_key) REFERENCES users ("key"), 
	CONSTRAINT fk_runs_creator_station_key FOREIGN KEY(creator_station_key) REFERENCES stations ("key")
);
INSERT INTO "runs" VALUES(1,'00000000-0000-0000-0000-000000000001',1795507113374820,1705318500000000,1705318620000000,120000000,'PASS',NULL,1,1,1,1,1,1,1,NULL,NULL,'{"duration":"PT120S","ended_at":"2024-01-15T11:37:00Z","operated_by":"jane@example.com","outcome":"PASS","procedure_name":"Function Test","procedure_version":"1.2.3","run_passed":true,"started_at":"2024-01-15T11:35:00Z","unit_under_test":{"batch_number":"B-7","part_number":"PCB-1","revision":"A","serial_number":"SN-1"}}','137d88f22c1e7b59dddb73977e318c56433b4c3b372a0d28860d534d544dcae9');
INSERT INTO "runs" VALUES(2,'00000000-0000-0000-0000-000000000002',1795507113387029,1705322100000000,1705322220000000,120000000,'PASS',NULL,1,1,2,1,1,1,1,NULL,NULL,'{"duration":"PT120S","ended_at":"2024-01-15T12:37:00Z","operated_by":"jane@example.com","outcome":"PASS","procedure_name":"Function Test","procedure_version":"1.2.3","run_passed":true,"started_at":"2024-01-15T12:35:00Z","sub_units":[{"serial_number":"SN-1"}],"unit_under_test":{"batch_number":"B-7","part_number":"PCB-1","revision":"A","serial_number":"sn-2"}}','c83e3b9cd513934c9fa9e87489683f80e26921cb7d4f78de6e73e4c6e43b40da');
INSERT INTO "runs" VALUES(3,'00000000-0000-0000-0000-000000000003',1795507113391704,NULL,NULL,NULL,'PASS',NULL,2,2,1,1,1,1,1,NULL,NULL,'{"operated_by":"jane@example.com","outcome":"PASS","procedure_name":"Burn in","procedure_version":"1.2.3","run_passed":true,"unit_under_test":{"batch_number":"B-7","part_number":"PCB-1","revision":"A","serial_number":"SN-1"}}','4fafb6285b66e77dc37223c314b9dfd69309428e90dd9526aac758bcff1a40b7');
CREATE TABLE schema_versions (
	version INTEGER NOT NULL, 
	created_at BIGINT NOT NULL, 
	CONSTRAINT pk_schema_versions PRIMARY KEY (version)
);
INSERT INTO "schema_versions" VALUES(1,1795507113323523);
CREATE TABLE station_procedures (
	station_key INTEGER NOT NULL, 
	procedure_key INTEGER NOT NULL, 
	CONSTRAINT pk_station_procedures PRIMARY KEY (station_key, procedure_key), 
	CONSTRAINT fk_station_procedures_station_key FOREIGN KEY(station_key) REFERENCES stations ("key") ON DELETE CASCADE, 
	CONSTRAINT fk_station_procedures_procedure_key FOREIGN KEY(procedure_key) REFERENCES procedures ("key") ON DELETE CASCADE
);
INSERT INTO "station_procedures" VALUES(1,1);
CREATE TABLE stations (
	"key" INTEGER NOT NULL, 
	id VARCHAR(36) NOT NULL, 
	name TEXT NOT NULL, 
	name_key TEXT NOT NULL, 
	created_at BIGINT NOT NULL, 
	CONSTRAINT pk_stations PRIMARY KEY ("key"), 
	CONSTRAINT uq_stations_id UNIQUE (id), 
	CONSTRAINT uq_stations_name_key UNIQUE (name_key)
);
INSERT INTO "stations" VALUES(1,'adce5536-5a4e-4b72-adf9-8c593b5bfa5f','rig-7','rig-7',1795507113393815);
CREATE TABLE unit_sub_units (
	parent_key INTEGER NOT NULL, 
	child_key INTEGER NOT NULL, 
	CONSTRAINT pk_unit_sub_units PRIMARY KEY (parent_key, child_key), 
	CONSTRAINT fk_unit_sub_units_parent_key FOREIGN KEY(parent_key) REFERENCES units ("key") ON DELETE CASCADE, 
	CONSTRAINT fk_unit_sub_units_child_key FOREIGN KEY(child_key) REFERENCES units ("key") ON DELETE CASCADE
)
 WITHOUT ROWID

;
INSERT INTO "unit_sub_units" VALUES(2,1);
CREATE TABLE units (
	"key" INTEGER NOT NULL, 
	id VARCHAR(36) NOT NULL, 
	serial_number TEXT NOT NULL, 
	serial_key TEXT NOT NULL, 
	part_key INTEGER, 
	revision_key INTEGER, 
	batch_key INTEGER, 
	created_at BIGINT NOT NULL, 
	CONSTRAINT pk_units PRIMARY KEY ("key"), 
	CONSTRAINT uq_units_serial_key UNIQUE (serial_key), 
	CONSTRAINT fk_units_part_key FOREIGN KEY(part_key) REFERENCES parts ("key"), 
	CONSTRAINT fk_units_revision_key FOREIGN KEY(revision_key) REFERENCES revisions ("key"), 
	CONSTRAINT fk_units_batch_key FOREIGN KEY(batch_key) REFERENCES batches ("key")
);
INSERT INTO "units" VALUES(1,'bde9f353-e81c-452f-adda-8ce333cebd0b','SN-1','sn-1',1,1,1,1795507113374198);
INSERT INTO "units" VALUES(2,'9a6e0470-44a2-4f08-970a-c42931cd158e','sn-2','sn-2',1,1,1,1795507113385616);
CREATE TABLE uploads (
	"key" INTEGER NOT NULL, 
	id VARCHAR(36) NOT NULL, 
	token_hash VARCHAR(64) NOT NULL, 
	expires_at BIGINT NOT NULL, 
	name TEXT NOT NULL, 
	mime_type TEXT, 
	declared_size BIGINT, 
	size BIGINT, 
	sha256 VARCHAR(64), 
	attachment_key INTEGER, 
	CONSTRAINT pk_uploads PRIMARY KEY ("key"), 
	CONSTRAINT uq_uploads_id UNIQUE (id), 
	CONSTRAINT fk_uploads_attachment_key FOREIGN KEY(attachment_key) REFERENCES attachments ("key") ON DELETE CASCADE
);
CREATE TABLE users (
	"key" INTEGER NOT NULL, 
	id VARCHAR(36) NOT NULL, 
	name TEXT NOT NULL, 
	name_key TEXT NOT NULL, 
	email TEXT, 
	email_key TEXT, 
	created_at BIGINT NOT NULL, 
	CONSTRAINT pk_users PRIMARY KEY ("key"), 
	CONSTRAINT uq_users_id UNIQUE (id), 
	CONSTRAINT uq_users_email_key UNIQUE (email_key)
);
INSERT INTO "users" VALUES(1,'b1406656-cbe0-42a5-a738-e5357b863e54','jane@example.com','jane@example.com','jane@example.com','jane@example.com',1795507113375913);
CREATE INDEX ix_users_name_key ON users (name_key);
CREATE INDEX ix_procedures_name_key ON procedures (name_key);
CREATE INDEX ix_unit_sub_units_child_key ON unit_sub_units (child_key);
CREATE INDEX ix_runs_procedure_key ON runs (procedure_key);
CREATE INDEX ix_runs_unit_key ON runs (unit_key);
CREATE INDEX ix_idempotency_keys_run_key ON idempotency_keys (run_key);
CREATE INDEX ix_attachments_sha256 ON attachments (sha256);
CREATE INDEX ix_attachments_run_key ON attachments (run_key);
CREATE INDEX ix_uploads_sha256 ON uploads (sha256);
CREATE INDEX ix_uploads_attachment_key ON uploads (attachment_key);
COMMIT;
