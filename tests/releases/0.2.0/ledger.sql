BEGIN TRANSACTION;
CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO "alembic_version" VALUES('0006');
CREATE TABLE approvals (
	id VARCHAR(40) NOT NULL, 
	"key" VARCHAR(150) NOT NULL, 
	subject VARCHAR(60) NOT NULL, 
	order_id VARCHAR(60), 
	thread_id VARCHAR(40) NOT NULL, 
	asked_by VARCHAR(100) NOT NULL, 
	"case" VARCHAR(40) NOT NULL, 
	action JSON NOT NULL, 
	action_hash VARCHAR(64) NOT NULL, 
	chain JSON NOT NULL, 
	step BIGINT NOT NULL, 
	status VARCHAR(20) NOT NULL, 
	note VARCHAR(2000) NOT NULL, 
	round BIGINT NOT NULL, 
	escalated BOOLEAN NOT NULL, 
	thread_told BOOLEAN NOT NULL, 
	step_since DATETIME NOT NULL, 
	created_at DATETIME NOT NULL, asked JSON, seal VARCHAR(64), head VARCHAR(64), reminded_since DATETIME, 
	CONSTRAINT pk_approvals PRIMARY KEY (id)
);
INSERT INTO "approvals" VALUES('apr-4dc31bde97bc','order:N-awaiting-the-second','ada_park','N-awaiting-the-second','e272e66c-2111-527f-9b6e-6d5530cd1af9','ada_park','very_large_order','{"name": "approve_order", "arguments": {"order_id": "N-awaiting-the-second", "revision": 0, "total": 559600, "currency": "USD", "risk": 25, "lines": [["SOFA-WOOL", 4, 139900]], "ship_to": {"line1": "14 Alder Street", "line2": "", "city": "Portland", "state": "OR", "postcode": "97205", "country": "US"}}, "description": "**5,596.00 USD**, order N-awaiting-the-second, risk 25\n\n- 4 \u00d7 Three-seat sofa (SOFA-WOOL)", "editable": false}','692a62461bae1cdee018e72d3d40673d0f8ac9e03a033a03ce24950bdba48d8c','[{"role": "order_manager", "reminder_seconds": 7200.0, "due_seconds": 14400.0, "expiry_seconds": 172800.0}, {"role": "finance_director", "reminder_seconds": 7200.0, "due_seconds": 14400.0, "expiry_seconds": 172800.0}]',1,'open','',0,0,1,'2026-06-01 12:00:13.000000','2026-06-01 12:00:10.000000','{"action_hash": "692a62461bae1cdee018e72d3d40673d0f8ac9e03a033a03ce24950bdba48d8c", "roles": ["order_manager", "finance_director"]}','9a2b99ba0a60ce48a3baf2d12b6592bb7406304e6ce15fea82e29234c38a1134','d19ce3f2c5e5ff7c9e33cfc8b191441ad6d6506f02d99d98d0fc136de0e44610',NULL);
INSERT INTO "approvals" VALUES('apr-cb1ca1bed903','order:N-changed','ada_park','N-changed','af9932c3-09e9-50cf-abb1-765781f45f6f','ada_park','large_order','{"name": "approve_order", "arguments": {"order_id": "N-changed", "revision": 0, "total": 139900, "currency": "USD", "risk": 50, "lines": [["SOFA-WOOL", 1, 139900]], "ship_to": {"line1": "14 Alder Street", "line2": "", "city": "Portland", "state": "OR", "postcode": "97205", "country": "US"}}, "description": "**1,399.00 USD**, order N-changed, risk 50\n\n- 1 \u00d7 Three-seat sofa (SOFA-WOOL)", "editable": false}','eeeb4426e811bf1dbe8aee229492e5d031d1a419de97986f2765ab5371a30dce','[{"role": "order_manager", "reminder_seconds": 7200.0, "due_seconds": 14400.0, "expiry_seconds": 172800.0}]',0,'void','',0,0,0,'2026-06-01 12:01:05.000000','2026-06-01 12:01:06.000000','{"action_hash": "eeeb4426e811bf1dbe8aee229492e5d031d1a419de97986f2765ab5371a30dce", "roles": ["order_manager"]}','ac6621c40d8cfa5aa0958294d524639b1a98122d7e9c46f49278a83970e96fec','ac6621c40d8cfa5aa0958294d524639b1a98122d7e9c46f49278a83970e96fec',NULL);
INSERT INTO "approvals" VALUES('apr-132172cd94d0','order:N-awaiting','ada_park','N-awaiting','a531235c-9844-5aa5-a818-bf636f9755fd','ada_park','large_order','{"name": "approve_order", "arguments": {"order_id": "N-awaiting", "revision": 0, "total": 139900, "currency": "USD", "risk": 50, "lines": [["SOFA-WOOL", 1, 139900]], "ship_to": {"line1": "14 Alder Street", "line2": "", "city": "Portland", "state": "OR", "postcode": "97205", "country": "US"}}, "description": "**1,399.00 USD**, order N-awaiting, risk 50\n\n- 1 \u00d7 Three-seat sofa (SOFA-WOOL)", "editable": false}','4bcf770180e265b58d73b8af834561f3e7e275d23a41714d36f523282024bfe6','[{"role": "order_manager", "reminder_seconds": 7200.0, "due_seconds": 14400.0, "expiry_seconds": 172800.0}]',0,'open','',0,0,1,'2026-06-01 12:01:15.000000','2026-06-01 12:01:16.000000','{"action_hash": "4bcf770180e265b58d73b8af834561f3e7e275d23a41714d36f523282024bfe6", "roles": ["order_manager"]}','c888a88126beaa44f07d17a2e7db658defed4758a6d12a84188b2a1bc5a304ee','c888a88126beaa44f07d17a2e7db658defed4758a6d12a84188b2a1bc5a304ee',NULL);
INSERT INTO "approvals" VALUES('apr-ba567b2eeae1','plan:chat-first:4ed5bbb25e24:4bff4ee7:0','ada_park','W-1001','chat-first','ada_park','billing','{"name": "refund_payment", "arguments": {"order_id": "W-1001", "amount": 6000, "reason": "refund 60.00 of W-1001"}, "description": "Refund 60.00 USD of order W-1001 to ada_card.", "editable": true}','91687029fe32179bcac37661b6b4dc832f6ced9da2c6a472ca1c331f3c28554c','[{"role": "billing_agent", "reminder_seconds": 7200.0, "due_seconds": 14400.0, "expiry_seconds": 172800.0}, {"role": "billing_manager", "reminder_seconds": 7200.0, "due_seconds": 14400.0, "expiry_seconds": 172800.0}]',0,'open','',0,0,1,'2026-06-01 12:01:53.000000','2026-06-01 12:01:54.000000','{"action_hash": "91687029fe32179bcac37661b6b4dc832f6ced9da2c6a472ca1c331f3c28554c", "roles": ["billing_agent", "billing_manager"]}','f86bfba2112137cf9c330662fa341588839ec4869baca9a56f7659c3be186362','f86bfba2112137cf9c330662fa341588839ec4869baca9a56f7659c3be186362',NULL);
INSERT INTO "approvals" VALUES('apr-b327c4aa5d02','plan:chat-second:c703810f9299:0a7c31ea:0','ada_park','W-1001','chat-second','ada_park','billing','{"name": "refund_payment", "arguments": {"order_id": "W-1001", "amount": 7000, "reason": "refund 70.00 of W-1001"}, "description": "Refund 70.00 USD of order W-1001 to ada_card.", "editable": true}','cfcb98150766ed701a1f052d328fb1de4413ab3175381c861cd565b9c3b8a9e1','[{"role": "billing_agent", "reminder_seconds": 7200.0, "due_seconds": 14400.0, "expiry_seconds": 172800.0}, {"role": "billing_manager", "reminder_seconds": 7200.0, "due_seconds": 14400.0, "expiry_seconds": 172800.0}]',1,'open','',0,0,1,'2026-06-01 12:02:04.000000','2026-06-01 12:02:01.000000','{"action_hash": "cfcb98150766ed701a1f052d328fb1de4413ab3175381c861cd565b9c3b8a9e1", "roles": ["billing_agent", "billing_manager"]}','544e43d6b2abf80c52d24e702e46ed7e477f5bb8d1096e272930217bd09083fa','285b20fe38505f8acff6b97a3b8f93b585b1242a502f8ae502c8d1e45a50958c',NULL);
CREATE TABLE conversations (
	customer_id VARCHAR(60) NOT NULL, 
	thread_id VARCHAR(40) NOT NULL, 
	at DATETIME NOT NULL, 
	CONSTRAINT pk_conversations PRIMARY KEY (customer_id), 
	CONSTRAINT fk_conversations_customer_id FOREIGN KEY(customer_id) REFERENCES customers (id)
);
INSERT INTO "conversations" VALUES('ada_park','chat-second','2026-06-01 12:01:56.000000');
CREATE TABLE customers (
	id VARCHAR(60) NOT NULL, 
	first_name VARCHAR(100) NOT NULL, 
	last_name VARCHAR(100) NOT NULL, 
	email VARCHAR(200) NOT NULL, 
	address JSON NOT NULL, 
	profile_changed_at DATETIME, 
	CONSTRAINT pk_customers PRIMARY KEY (id), 
	CONSTRAINT uq_customers_email UNIQUE (email)
);
INSERT INTO "customers" VALUES('ada_park','Ada','Park','ada.park@example.com','{"line1": "14 Alder Street", "line2": "", "city": "Portland", "state": "OR", "postcode": "97205", "country": "US"}',NULL);
INSERT INTO "customers" VALUES('ben_ortiz','Ben','Ortiz','ben.ortiz@example.com','{"line1": "230 Mesa Road", "line2": "", "city": "Albuquerque", "state": "NM", "postcode": "87104", "country": "US"}',NULL);
INSERT INTO "customers" VALUES('chloe_meyer','Chloe','Meyer','chloe.meyer@example.com','{"line1": "7 Harbor Lane", "line2": "", "city": "Portland", "state": "ME", "postcode": "04101", "country": "US"}',NULL);
INSERT INTO "customers" VALUES('dev_shah','Dev','Shah','dev.shah@example.com','{"line1": "561 Maple Avenue", "line2": "", "city": "Columbus", "state": "OH", "postcode": "43215", "country": "US"}',NULL);
INSERT INTO "customers" VALUES('ella_novak','Ella','Novak','ella.novak@example.com','{"line1": "88 Lakeview Drive", "line2": "", "city": "Madison", "state": "WI", "postcode": "53703", "country": "US"}',NULL);
INSERT INTO "customers" VALUES('finn_walsh','Finn','Walsh','finn.walsh@example.com','{"line1": "3 Quarry Hill", "line2": "", "city": "Burlington", "state": "VT", "postcode": "05401", "country": "US"}',NULL);
INSERT INTO "customers" VALUES('grace_okafor','Grace','Okafor','grace.okafor@example.com','{"line1": "1420 Peach Street", "line2": "", "city": "Atlanta", "state": "GA", "postcode": "30309", "country": "US"}',NULL);
INSERT INTO "customers" VALUES('hugo_lindqvist','Hugo','Lindqvist','hugo.lindqvist@example.com','{"line1": "19 Birch Court", "line2": "", "city": "Minneapolis", "state": "MN", "postcode": "55401", "country": "US"}',NULL);
INSERT INTO "customers" VALUES('iris_tanaka','Iris','Tanaka','iris.tanaka@example.com','{"line1": "402 Cedar Way", "line2": "", "city": "Seattle", "state": "WA", "postcode": "98101", "country": "US"}',NULL);
INSERT INTO "customers" VALUES('jonas_weber','Jonas','Weber','jonas.weber@example.com','{"line1": "75 Mill Street", "line2": "", "city": "Milwaukee", "state": "WI", "postcode": "53202", "country": "US"}',NULL);
INSERT INTO "customers" VALUES('kira_petrov','Kira','Petrov','kira.petrov@example.com','{"line1": "6 Canyon View", "line2": "", "city": "Boulder", "state": "CO", "postcode": "80302", "country": "US"}',NULL);
INSERT INTO "customers" VALUES('liam_byrne','Liam','Byrne','liam.byrne@example.com','{"line1": "33 Bay Street", "line2": "", "city": "Boston", "state": "MA", "postcode": "02108", "country": "US"}',NULL);
CREATE TABLE "debts" (
	"key" VARCHAR(250) NOT NULL, 
	order_id VARCHAR(60) NOT NULL, 
	payment_key VARCHAR(250), 
	method_id VARCHAR(60), 
	amount BIGINT NOT NULL, 
	settled BOOLEAN NOT NULL, 
	attempts BIGINT NOT NULL, 
	at DATETIME NOT NULL, 
	kind VARCHAR(10) NOT NULL, 
	parcel_id VARCHAR(100), 
	asked BIGINT NOT NULL, 
	next_at DATETIME NOT NULL, 
	CONSTRAINT pk_debts PRIMARY KEY ("key"), 
	CONSTRAINT fk_debts_method_id FOREIGN KEY(method_id) REFERENCES payment_methods (id), 
	CONSTRAINT fk_debts_payment_key FOREIGN KEY(payment_key) REFERENCES payments ("key"), 
	CONSTRAINT fk_debts_order_id FOREIGN KEY(order_id) REFERENCES orders (id), 
	CONSTRAINT fk_debts_parcel_id FOREIGN KEY(parcel_id) REFERENCES parcels (id)
);
INSERT INTO "debts" VALUES('N-cancelling:pay:1:void','N-cancelling','N-cancelling:pay:1',NULL,0,0,0,'2026-06-01 12:00:56.000000','void',NULL,0,'2026-06-01 12:00:56.000000');
INSERT INTO "debts" VALUES('W-1002:pay:1:rest','W-1002','W-1002:pay:1','ada_card',14700,0,0,'2026-06-01 12:02:06.000000','refund',NULL,0,'2026-06-01 12:02:06.000000');
CREATE TABLE decisions (
	request_id VARCHAR(40) NOT NULL, 
	round BIGINT NOT NULL, 
	step BIGINT NOT NULL, 
	decision VARCHAR(10) NOT NULL, 
	actor VARCHAR(100) NOT NULL, 
	role VARCHAR(40) NOT NULL, 
	note VARCHAR(2000) NOT NULL, 
	at DATETIME NOT NULL, number BIGINT, over JSON, seal VARCHAR(64), 
	CONSTRAINT pk_decisions PRIMARY KEY (request_id, round, step), 
	CONSTRAINT fk_decisions_request_id FOREIGN KEY(request_id) REFERENCES approvals (id), 
	CONSTRAINT nobody_twice_in_one_chain UNIQUE (request_id, actor, round)
);
INSERT INTO "decisions" VALUES('apr-4dc31bde97bc',0,0,'approve','order-manager-1','order_manager','','2026-06-01 12:00:12.000000',1,'{"action_hash": "692a62461bae1cdee018e72d3d40673d0f8ac9e03a033a03ce24950bdba48d8c", "roles": ["order_manager", "finance_director"]}','d19ce3f2c5e5ff7c9e33cfc8b191441ad6d6506f02d99d98d0fc136de0e44610');
INSERT INTO "decisions" VALUES('apr-b327c4aa5d02',0,0,'approve','billing-agent-1','billing_agent','','2026-06-01 12:02:03.000000',1,'{"action_hash": "cfcb98150766ed701a1f052d328fb1de4413ab3175381c861cd565b9c3b8a9e1", "roles": ["billing_agent", "billing_manager"]}','285b20fe38505f8acff6b97a3b8f93b585b1242a502f8ae502c8d1e45a50958c');
CREATE TABLE effects (
	"key" VARCHAR(200) NOT NULL, 
	name VARCHAR(40) NOT NULL, 
	actor VARCHAR(100) NOT NULL, 
	subject VARCHAR(100) NOT NULL, 
	fingerprint VARCHAR(64) NOT NULL, 
	answer JSON NOT NULL, 
	at DATETIME NOT NULL, 
	CONSTRAINT pk_effects PRIMARY KEY ("key")
);
INSERT INTO "effects" VALUES('order:N-awaiting-the-second:place','PlaceOrder','ada_park','ada_park','72e513482617ef9da7d3d309b8e792c4ae3af9f6ae181a8e4ba8ea3f1c2c247e','{"id": "N-awaiting-the-second", "customer_id": "ada_park", "status": "pending", "stage": "placed", "generation": 0, "revision": 0, "total": 559600, "currency": "USD", "payment_method_id": "ada_card", "ship_to": {"line1": "14 Alder Street", "line2": "", "city": "Portland", "state": "OR", "postcode": "97205", "country": "US"}, "lines": [{"number": 1, "sku": "SOFA-WOOL", "name": "Three-seat sofa", "quantity": 4, "unit_price": 139900, "reservation": "none"}], "payments": [], "parcels": [], "reason": null, "placed_by": "ada_park", "placed_at": "2026-06-01T12:00:04+00:00"}','2026-06-01 12:00:05.000000');
INSERT INTO "effects" VALUES('order:N-awaiting-the-second:reserve:1','ReserveLine','order_processing','N-awaiting-the-second','b8692fc2510bdd7c8de0ffdeebe0facf22984532a23a07c782e2f527f23f7bd8','{"sku": "SOFA-WOOL", "quantity": 4}','2026-06-01 12:00:06.000000');
INSERT INTO "effects" VALUES('order:N-reserved:place','PlaceOrder','ada_park','ada_park','64eb86e848e7c3e8b6127a781ac1cd53d20219d4ab400b707ceb4ae4c47f2c07','{"id": "N-reserved", "customer_id": "ada_park", "status": "pending", "stage": "placed", "generation": 0, "revision": 0, "total": 12300, "currency": "USD", "payment_method_id": "ada_card", "ship_to": {"line1": "14 Alder Street", "line2": "", "city": "Portland", "state": "OR", "postcode": "97205", "country": "US"}, "lines": [{"number": 1, "sku": "MUG-BLUE", "name": "Stoneware mug", "quantity": 2, "unit_price": 1400, "reservation": "none"}, {"number": 2, "sku": "CLOCK-OAK", "name": "Wall clock", "quantity": 1, "unit_price": 9500, "reservation": "none"}], "payments": [], "parcels": [], "reason": null, "placed_by": "ada_park", "placed_at": "2026-06-01T12:00:15+00:00"}','2026-06-01 12:00:16.000000');
INSERT INTO "effects" VALUES('order:N-reserved:reserve:1','ReserveLine','order_processing','N-reserved','6581a55f2d9c9085b2fa00684d91a0be1c41bba87332fcf9a41894646f7e07b6','{"sku": "MUG-BLUE", "quantity": 2}','2026-06-01 12:00:17.000000');
INSERT INTO "effects" VALUES('order:N-reserved:reserve:2','ReserveLine','order_processing','N-reserved','6581a55f2d9c9085b2fa00684d91a0be1c41bba87332fcf9a41894646f7e07b6','{"sku": "CLOCK-OAK", "quantity": 1}','2026-06-01 12:00:18.000000');
INSERT INTO "effects" VALUES('order:N-completed:place','PlaceOrder','ada_park','ada_park','06648b894a236e54fa3563981b26163b9700b7ad951aa231eb346470f5ddf5d1','{"id": "N-completed", "customer_id": "ada_park", "status": "pending", "stage": "placed", "generation": 0, "revision": 0, "total": 12300, "currency": "USD", "payment_method_id": "ada_card", "ship_to": {"line1": "14 Alder Street", "line2": "", "city": "Portland", "state": "OR", "postcode": "97205", "country": "US"}, "lines": [{"number": 1, "sku": "MUG-BLUE", "name": "Stoneware mug", "quantity": 2, "unit_price": 1400, "reservation": "none"}, {"number": 2, "sku": "CLOCK-OAK", "name": "Wall clock", "quantity": 1, "unit_price": 9500, "reservation": "none"}], "payments": [], "parcels": [], "reason": null, "placed_by": "ada_park", "placed_at": "2026-06-01T12:00:20+00:00"}','2026-06-01 12:00:21.000000');
INSERT INTO "effects" VALUES('order:N-completed:reserve:1','ReserveLine','order_processing','N-completed','dcc73afcbe71a64601dbba94a90a71fa252d26c4a27b86f7ed7c5aaf61fed6af','{"sku": "MUG-BLUE", "quantity": 2}','2026-06-01 12:00:22.000000');
INSERT INTO "effects" VALUES('order:N-completed:reserve:2','ReserveLine','order_processing','N-completed','dcc73afcbe71a64601dbba94a90a71fa252d26c4a27b86f7ed7c5aaf61fed6af','{"sku": "CLOCK-OAK", "quantity": 1}','2026-06-01 12:00:23.000000');
INSERT INTO "effects" VALUES('parcel:N-completed/east:hand-over','MarkHandedOver','order_processing','ada_park','6e0995c7b610b568edbff2cb08fb6cff81f6aaf656144d1bb3994aabab05d0b6','{"id": "N-completed", "customer_id": "ada_park", "status": "processed", "stage": "paid", "generation": 0, "revision": 0, "total": 12300, "currency": "USD", "payment_method_id": "ada_card", "ship_to": {"line1": "14 Alder Street", "line2": "", "city": "Portland", "state": "OR", "postcode": "97205", "country": "US"}, "lines": [{"number": 1, "sku": "MUG-BLUE", "name": "Stoneware mug", "quantity": 2, "unit_price": 1400, "reservation": "shipped"}, {"number": 2, "sku": "CLOCK-OAK", "name": "Wall clock", "quantity": 1, "unit_price": 9500, "reservation": "held"}], "payments": [{"key": "N-completed:pay:1", "outcome": "captured", "amount": 12300}], "parcels": [{"id": "N-completed/east", "warehouse": "east", "state": "handed_over", "tracking_id": "TE24B89F9A0"}, {"id": "N-completed/west", "warehouse": "west", "state": "booked", "tracking_id": "TAE05729775"}], "reason": null, "placed_by": "ada_park", "placed_at": "2026-06-01T12:00:20+00:00"}','2026-06-01 12:00:29.000000');
INSERT INTO "effects" VALUES('parcel:N-completed/west:hand-over','MarkHandedOver','order_processing','ada_park','97287d85b6bfd99cc44570aa9b4f2d4db702802178fbd5bbac51ac51818a66c8','{"id": "N-completed", "customer_id": "ada_park", "status": "processed", "stage": "paid", "generation": 0, "revision": 0, "total": 12300, "currency": "USD", "payment_method_id": "ada_card", "ship_to": {"line1": "14 Alder Street", "line2": "", "city": "Portland", "state": "OR", "postcode": "97205", "country": "US"}, "lines": [{"number": 1, "sku": "MUG-BLUE", "name": "Stoneware mug", "quantity": 2, "unit_price": 1400, "reservation": "shipped"}, {"number": 2, "sku": "CLOCK-OAK", "name": "Wall clock", "quantity": 1, "unit_price": 9500, "reservation": "shipped"}], "payments": [{"key": "N-completed:pay:1", "outcome": "captured", "amount": 12300}], "parcels": [{"id": "N-completed/east", "warehouse": "east", "state": "handed_over", "tracking_id": "TE24B89F9A0"}, {"id": "N-completed/west", "warehouse": "west", "state": "handed_over", "tracking_id": "TAE05729775"}], "reason": null, "placed_by": "ada_park", "placed_at": "2026-06-01T12:00:20+00:00"}','2026-06-01 12:00:31.000000');
INSERT INTO "effects" VALUES('order:N-declined:place','PlaceOrder','ada_park','ada_park','9074ab81c0bb02cecce80d290a2782adf962fd79f530b8c1406e1dc9c48f9900','{"id": "N-declined", "customer_id": "ada_park", "status": "pending", "stage": "placed", "generation": 0, "revision": 0, "total": 12300, "currency": "USD", "payment_method_id": "ada_declines", "ship_to": {"line1": "14 Alder Street", "line2": "", "city": "Portland", "state": "OR", "postcode": "97205", "country": "US"}, "lines": [{"number": 1, "sku": "MUG-BLUE", "name": "Stoneware mug", "quantity": 2, "unit_price": 1400, "reservation": "none"}, {"number": 2, "sku": "CLOCK-OAK", "name": "Wall clock", "quantity": 1, "unit_price": 9500, "reservation": "none"}], "payments": [], "parcels": [], "reason": null, "placed_by": "ada_park", "placed_at": "2026-06-01T12:00:33+00:00"}','2026-06-01 12:00:34.000000');
INSERT INTO "effects" VALUES('order:N-declined:reserve:2','ReserveLine','order_processing','N-declined','bf981765bd04579952fd981cb3d55082c43c6c2b4f4daab6a43abf823a25e8b5','{"sku": "CLOCK-OAK", "quantity": 1}','2026-06-01 12:00:35.000000');
INSERT INTO "effects" VALUES('order:N-declined:reserve:1','ReserveLine','order_processing','N-declined','bf981765bd04579952fd981cb3d55082c43c6c2b4f4daab6a43abf823a25e8b5','{"sku": "MUG-BLUE", "quantity": 2}','2026-06-01 12:00:36.000000');
INSERT INTO "effects" VALUES('order:N-cancelled:place','PlaceOrder','ada_park','ada_park','5aa3d0f237f9edd405bee4d8593c4f6fa35a0d2b66ff06d9a497c623b5040a08','{"id": "N-cancelled", "customer_id": "ada_park", "status": "pending", "stage": "placed", "generation": 0, "revision": 0, "total": 12300, "currency": "USD", "payment_method_id": "ada_card", "ship_to": {"line1": "14 Alder Street", "line2": "", "city": "Portland", "state": "OR", "postcode": "97205", "country": "US"}, "lines": [{"number": 1, "sku": "MUG-BLUE", "name": "Stoneware mug", "quantity": 2, "unit_price": 1400, "reservation": "none"}, {"number": 2, "sku": "CLOCK-OAK", "name": "Wall clock", "quantity": 1, "unit_price": 9500, "reservation": "none"}], "payments": [], "parcels": [], "reason": null, "placed_by": "ada_park", "placed_at": "2026-06-01T12:00:42+00:00"}','2026-06-01 12:00:43.000000');
INSERT INTO "effects" VALUES('cancel-early','CancelOrder','ada_park','ada_park','d5a9d984c78288079b377f97b223a57585a8f6525835d33a8a49172f420db9b5','{"id": "N-cancelled", "customer_id": "ada_park", "status": "cancelled", "stage": "cancelled", "generation": 0, "revision": 0, "total": 12300, "currency": "USD", "payment_method_id": "ada_card", "ship_to": {"line1": "14 Alder Street", "line2": "", "city": "Portland", "state": "OR", "postcode": "97205", "country": "US"}, "lines": [{"number": 1, "sku": "MUG-BLUE", "name": "Stoneware mug", "quantity": 2, "unit_price": 1400, "reservation": "none"}, {"number": 2, "sku": "CLOCK-OAK", "name": "Wall clock", "quantity": 1, "unit_price": 9500, "reservation": "none"}], "payments": [], "parcels": [], "reason": "CUSTOMER-CANCELLED", "placed_by": "ada_park", "placed_at": "2026-06-01T12:00:42+00:00"}','2026-06-01 12:00:45.000000');
INSERT INTO "effects" VALUES('order:N-cancelling:place','PlaceOrder','ada_park','ada_park','c063a8e6da1793a44ece454a16d766cee83edc6fbc74ba1447222614ee9dafd9','{"id": "N-cancelling", "customer_id": "ada_park", "status": "pending", "stage": "placed", "generation": 0, "revision": 0, "total": 12300, "currency": "USD", "payment_method_id": "ada_card", "ship_to": {"line1": "14 Alder Street", "line2": "", "city": "Portland", "state": "OR", "postcode": "97205", "country": "US"}, "lines": [{"number": 1, "sku": "MUG-BLUE", "name": "Stoneware mug", "quantity": 2, "unit_price": 1400, "reservation": "none"}, {"number": 2, "sku": "CLOCK-OAK", "name": "Wall clock", "quantity": 1, "unit_price": 9500, "reservation": "none"}], "payments": [], "parcels": [], "reason": null, "placed_by": "ada_park", "placed_at": "2026-06-01T12:00:47+00:00"}','2026-06-01 12:00:48.000000');
INSERT INTO "effects" VALUES('order:N-cancelling:reserve:2','ReserveLine','order_processing','N-cancelling','716c4373e8f4b0f53baa9efd6abad166931c22a87f3699687d417a00853f79b2','{"sku": "CLOCK-OAK", "quantity": 1}','2026-06-01 12:00:49.000000');
INSERT INTO "effects" VALUES('order:N-cancelling:reserve:1','ReserveLine','order_processing','N-cancelling','716c4373e8f4b0f53baa9efd6abad166931c22a87f3699687d417a00853f79b2','{"sku": "MUG-BLUE", "quantity": 2}','2026-06-01 12:00:50.000000');
INSERT INTO "effects" VALUES('cancel','CancelOrder','ada_park','ada_park','10fec1184686f47df4379fd21183172c6a650ff02e98e2405f62eba207ffe176','{"id": "N-cancelling", "customer_id": "ada_park", "status": "cancelled", "stage": "cancelling", "generation": 0, "revision": 0, "total": 12300, "currency": "USD", "payment_method_id": "ada_card", "ship_to": {"line1": "14 Alder Street", "line2": "", "city": "Portland", "state": "OR", "postcode": "97205", "country": "US"}, "lines": [{"number": 1, "sku": "MUG-BLUE", "name": "Stoneware mug", "quantity": 2, "unit_price": 1400, "reservation": "released"}, {"number": 2, "sku": "CLOCK-OAK", "name": "Wall clock", "quantity": 1, "unit_price": 9500, "reservation": "released"}], "payments": [{"key": "N-cancelling:pay:1", "outcome": "unknown", "amount": 12300}], "parcels": [], "reason": "CUSTOMER-CANCELLED", "placed_by": "ada_park", "placed_at": "2026-06-01T12:00:47+00:00"}','2026-06-01 12:00:57.000000');
INSERT INTO "effects" VALUES('order:N-placed:place','PlaceOrder','ada_park','ada_park','2b96f95e16c8861d625156b4274a303dc302133b543ea30e702765f7c743c918','{"id": "N-placed", "customer_id": "ada_park", "status": "pending", "stage": "placed", "generation": 0, "revision": 0, "total": 12300, "currency": "USD", "payment_method_id": "ada_card", "ship_to": {"line1": "14 Alder Street", "line2": "", "city": "Portland", "state": "OR", "postcode": "97205", "country": "US"}, "lines": [{"number": 1, "sku": "MUG-BLUE", "name": "Stoneware mug", "quantity": 2, "unit_price": 1400, "reservation": "none"}, {"number": 2, "sku": "CLOCK-OAK", "name": "Wall clock", "quantity": 1, "unit_price": 9500, "reservation": "none"}], "payments": [], "parcels": [], "reason": null, "placed_by": "ada_park", "placed_at": "2026-06-01T12:00:58+00:00"}','2026-06-01 12:00:59.000000');
INSERT INTO "effects" VALUES('order:N-changed:place','PlaceOrder','ada_park','ada_park','926426c15b07cd6203dfb6a20e7293d60b064ac28425769552a1405de68bd2e5','{"id": "N-changed", "customer_id": "ada_park", "status": "pending", "stage": "placed", "generation": 0, "revision": 0, "total": 139900, "currency": "USD", "payment_method_id": "ada_card", "ship_to": {"line1": "14 Alder Street", "line2": "", "city": "Portland", "state": "OR", "postcode": "97205", "country": "US"}, "lines": [{"number": 1, "sku": "SOFA-WOOL", "name": "Three-seat sofa", "quantity": 1, "unit_price": 139900, "reservation": "none"}], "payments": [], "parcels": [], "reason": null, "placed_by": "ada_park", "placed_at": "2026-06-01T12:01:00+00:00"}','2026-06-01 12:01:01.000000');
INSERT INTO "effects" VALUES('order:N-changed:reserve:1','ReserveLine','order_processing','N-changed','2f40b74203cdddfbfd4d055e086afb297d2506eb5254d499b0c5a9622ff98187','{"sku": "SOFA-WOOL", "quantity": 1}','2026-06-01 12:01:02.000000');
INSERT INTO "effects" VALUES('move','ChangeShipTo','ada_park','ada_park','909c36c7a3723dd9d2aa47702f1ed21009dee59083ca796b1d72f8b8e7b693e3','{"id": "N-changed", "customer_id": "ada_park", "status": "pending", "stage": "reserved", "generation": 0, "revision": 1, "total": 139900, "currency": "USD", "payment_method_id": "ada_card", "ship_to": {"line1": "1 Main Street", "line2": "", "city": "Salem", "state": "", "postcode": "97301", "country": "US"}, "lines": [{"number": 1, "sku": "SOFA-WOOL", "name": "Three-seat sofa", "quantity": 1, "unit_price": 139900, "reservation": "held"}], "payments": [], "parcels": [], "reason": null, "placed_by": "ada_park", "placed_at": "2026-06-01T12:01:00+00:00"}','2026-06-01 12:01:09.000000');
INSERT INTO "effects" VALUES('order:N-awaiting:place','PlaceOrder','ada_park','ada_park','452c865336e474c01c5fbe0d9bf6bbdbc757f7621130878e2e7fa25ecfaa36c4','{"id": "N-awaiting", "customer_id": "ada_park", "status": "pending", "stage": "placed", "generation": 0, "revision": 0, "total": 139900, "currency": "USD", "payment_method_id": "ada_card", "ship_to": {"line1": "14 Alder Street", "line2": "", "city": "Portland", "state": "OR", "postcode": "97205", "country": "US"}, "lines": [{"number": 1, "sku": "SOFA-WOOL", "name": "Three-seat sofa", "quantity": 1, "unit_price": 139900, "reservation": "none"}], "payments": [], "parcels": [], "reason": null, "placed_by": "ada_park", "placed_at": "2026-06-01T12:01:10+00:00"}','2026-06-01 12:01:11.000000');
INSERT INTO "effects" VALUES('order:N-awaiting:reserve:1','ReserveLine','order_processing','N-awaiting','3d50e810d57483cf667aa5eaf9175cee86ea3c5afb653cac8fc29c68c2ea91a5','{"sku": "SOFA-WOOL", "quantity": 1}','2026-06-01 12:01:12.000000');
INSERT INTO "effects" VALUES('order:N-approved:place','PlaceOrder','ada_park','ada_park','3272f0a63740a9930234083e481710363d113074501a9311ee3bbb4f781f76a6','{"id": "N-approved", "customer_id": "ada_park", "status": "pending", "stage": "placed", "generation": 0, "revision": 0, "total": 12300, "currency": "USD", "payment_method_id": "ada_card", "ship_to": {"line1": "14 Alder Street", "line2": "", "city": "Portland", "state": "OR", "postcode": "97205", "country": "US"}, "lines": [{"number": 1, "sku": "MUG-BLUE", "name": "Stoneware mug", "quantity": 2, "unit_price": 1400, "reservation": "none"}, {"number": 2, "sku": "CLOCK-OAK", "name": "Wall clock", "quantity": 1, "unit_price": 9500, "reservation": "none"}], "payments": [], "parcels": [], "reason": null, "placed_by": "ada_park", "placed_at": "2026-06-01T12:01:18+00:00"}','2026-06-01 12:01:19.000000');
INSERT INTO "effects" VALUES('order:N-approved:reserve:2','ReserveLine','order_processing','N-approved','af22501b2053be59785641a8e21147ba6d75854ba2db5916a2b37525ff94400d','{"sku": "CLOCK-OAK", "quantity": 1}','2026-06-01 12:01:20.000000');
INSERT INTO "effects" VALUES('order:N-approved:reserve:1','ReserveLine','order_processing','N-approved','af22501b2053be59785641a8e21147ba6d75854ba2db5916a2b37525ff94400d','{"sku": "MUG-BLUE", "quantity": 2}','2026-06-01 12:01:21.000000');
INSERT INTO "effects" VALUES('order:N-parked-deferred:place','PlaceOrder','ada_park','ada_park','f767cbc0b1118d9d56777d964fedeb6565f70c59f7e962819ba6c67b90e3f509','{"id": "N-parked-deferred", "customer_id": "ada_park", "status": "pending", "stage": "placed", "generation": 0, "revision": 0, "total": 12300, "currency": "USD", "payment_method_id": "ada_card", "ship_to": {"line1": "14 Alder Street", "line2": "", "city": "Portland", "state": "OR", "postcode": "97205", "country": "US"}, "lines": [{"number": 1, "sku": "MUG-BLUE", "name": "Stoneware mug", "quantity": 2, "unit_price": 1400, "reservation": "none"}, {"number": 2, "sku": "CLOCK-OAK", "name": "Wall clock", "quantity": 1, "unit_price": 9500, "reservation": "none"}], "payments": [], "parcels": [], "reason": null, "placed_by": "ada_park", "placed_at": "2026-06-01T12:01:24+00:00"}','2026-06-01 12:01:25.000000');
INSERT INTO "effects" VALUES('order:N-parked-deferred:reserve:1','ReserveLine','order_processing','N-parked-deferred','219266bae1861366c9e6f3eaf3aa445a94f19cee298e70308d3341762735b870','{"sku": "MUG-BLUE", "quantity": 2}','2026-06-01 12:01:26.000000');
INSERT INTO "effects" VALUES('order:N-parked-deferred:reserve:2','ReserveLine','order_processing','N-parked-deferred','219266bae1861366c9e6f3eaf3aa445a94f19cee298e70308d3341762735b870','{"sku": "CLOCK-OAK", "quantity": 1}','2026-06-01 12:01:27.000000');
INSERT INTO "effects" VALUES('order:N-parked-unknown:place','PlaceOrder','ada_park','ada_park','fbe53b6acbd0cae45b2e8f47925d0b8967c7034bfe5947b92ee349cf280afe92','{"id": "N-parked-unknown", "customer_id": "ada_park", "status": "pending", "stage": "placed", "generation": 0, "revision": 0, "total": 12300, "currency": "USD", "payment_method_id": "ada_card", "ship_to": {"line1": "14 Alder Street", "line2": "", "city": "Portland", "state": "OR", "postcode": "97205", "country": "US"}, "lines": [{"number": 1, "sku": "MUG-BLUE", "name": "Stoneware mug", "quantity": 2, "unit_price": 1400, "reservation": "none"}, {"number": 2, "sku": "CLOCK-OAK", "name": "Wall clock", "quantity": 1, "unit_price": 9500, "reservation": "none"}], "payments": [], "parcels": [], "reason": null, "placed_by": "ada_park", "placed_at": "2026-06-01T12:01:32+00:00"}','2026-06-01 12:01:33.000000');
INSERT INTO "effects" VALUES('order:N-parked-unknown:reserve:2','ReserveLine','order_processing','N-parked-unknown','c38dfeaee1c4831e50c7857231ca2ea395d51dea1a51e0367cfdde51aefb12cd','{"sku": "CLOCK-OAK", "quantity": 1}','2026-06-01 12:01:34.000000');
INSERT INTO "effects" VALUES('order:N-parked-unknown:reserve:1','ReserveLine','order_processing','N-parked-unknown','c38dfeaee1c4831e50c7857231ca2ea395d51dea1a51e0367cfdde51aefb12cd','{"sku": "MUG-BLUE", "quantity": 2}','2026-06-01 12:01:35.000000');
INSERT INTO "effects" VALUES('order:N-paid:place','PlaceOrder','ada_park','ada_park','bf62d552d55d19e99adae1818a1f6045e71ee232200e56d391f115770aefa21c','{"id": "N-paid", "customer_id": "ada_park", "status": "pending", "stage": "placed", "generation": 0, "revision": 0, "total": 12300, "currency": "USD", "payment_method_id": "ada_card", "ship_to": {"line1": "14 Alder Street", "line2": "", "city": "Portland", "state": "OR", "postcode": "97205", "country": "US"}, "lines": [{"number": 1, "sku": "MUG-BLUE", "name": "Stoneware mug", "quantity": 2, "unit_price": 1400, "reservation": "none"}, {"number": 2, "sku": "CLOCK-OAK", "name": "Wall clock", "quantity": 1, "unit_price": 9500, "reservation": "none"}], "payments": [], "parcels": [], "reason": null, "placed_by": "ada_park", "placed_at": "2026-06-01T12:01:41+00:00"}','2026-06-01 12:01:42.000000');
INSERT INTO "effects" VALUES('order:N-paid:reserve:2','ReserveLine','order_processing','N-paid','a713460611529383aa7b7a69c03a5f596b50bb2d7cc70b3bf99c74fd8f37cc95','{"sku": "CLOCK-OAK", "quantity": 1}','2026-06-01 12:01:43.000000');
INSERT INTO "effects" VALUES('order:N-paid:reserve:1','ReserveLine','order_processing','N-paid','a713460611529383aa7b7a69c03a5f596b50bb2d7cc70b3bf99c74fd8f37cc95','{"sku": "MUG-BLUE", "quantity": 2}','2026-06-01 12:01:44.000000');
INSERT INTO "effects" VALUES('owed','CancelOrder','ada_park','ada_park','b45eddcb34cb53c8aab8d133549bd9b814939944645a2ea27903593d8bad07b9','{"id": "W-1002", "customer_id": "ada_park", "status": "cancelled", "stage": "cancelled", "generation": 0, "revision": 0, "total": 14700, "currency": "USD", "payment_method_id": "ada_card", "ship_to": {"line1": "14 Alder Street", "line2": "", "city": "Portland", "state": "OR", "postcode": "97205", "country": "US"}, "lines": [{"number": 1, "sku": "LAMP-BRASS", "name": "Table lamp", "quantity": 1, "unit_price": 8900, "reservation": "released"}, {"number": 2, "sku": "CUSHION-SAND", "name": "Linen cushion", "quantity": 2, "unit_price": 2900, "reservation": "released"}], "payments": [{"key": "W-1002:pay:1", "outcome": "captured", "amount": 14700}], "parcels": [{"id": "W-1002/all", "warehouse": "all", "state": "stopped", "tracking_id": null}], "reason": "CUSTOMER-CANCELLED", "placed_by": "ada_park", "placed_at": "2026-05-31T09:27:01+00:00"}','2026-06-01 12:02:07.000000');
CREATE TABLE heartbeats (
	name VARCHAR(40) NOT NULL, 
	at DATETIME NOT NULL, 
	CONSTRAINT pk_heartbeats PRIMARY KEY (name)
);
CREATE TABLE money_entries (
	"key" VARCHAR(250) NOT NULL, 
	order_id VARCHAR(60), 
	customer_id VARCHAR(60) NOT NULL, 
	method_id VARCHAR(60) NOT NULL, 
	kind VARCHAR(20) NOT NULL, 
	amount BIGINT NOT NULL, 
	at DATETIME NOT NULL, 
	CONSTRAINT pk_money_entries PRIMARY KEY ("key"), 
	CONSTRAINT fk_money_entries_customer_id FOREIGN KEY(customer_id) REFERENCES customers (id), 
	CONSTRAINT fk_money_entries_method_id FOREIGN KEY(method_id) REFERENCES payment_methods (id), 
	CONSTRAINT fk_money_entries_order_id FOREIGN KEY(order_id) REFERENCES orders (id)
);
INSERT INTO "money_entries" VALUES('W-1001:pay:1','W-1001','ada_park','ada_card','capture',71800,'2026-05-11 08:55:01.000000');
INSERT INTO "money_entries" VALUES('W-1002:pay:1','W-1002','ada_park','ada_card','capture',14700,'2026-05-31 09:27:01.000000');
INSERT INTO "money_entries" VALUES('W-1003:pay:1','W-1003','ben_ortiz','ben_card','capture',32900,'2026-05-20 09:53:01.000000');
INSERT INTO "money_entries" VALUES('W-1004:pay:1','W-1004','ben_ortiz','ben_card','capture',18500,'2026-05-31 05:14:01.000000');
INSERT INTO "money_entries" VALUES('W-1005:pay:1','W-1005','chloe_meyer','chloe_card','capture',163500,'2026-04-28 10:28:01.000000');
INSERT INTO "money_entries" VALUES('W-1006:pay:1','W-1006','chloe_meyer','chloe_card','capture',40800,'2026-05-29 06:03:01.000000');
INSERT INTO "money_entries" VALUES('W-1007:pay:1','W-1007','dev_shah','dev_card','capture',19100,'2026-05-23 05:21:01.000000');
INSERT INTO "money_entries" VALUES('W-1009:pay:1','W-1009','ella_novak','ella_gift','gift_debit',4600,'2026-05-30 11:19:01.000000');
INSERT INTO "money_entries" VALUES('W-1010:pay:1','W-1010','finn_walsh','finn_card','capture',137800,'2026-05-04 07:06:01.000000');
INSERT INTO "money_entries" VALUES('W-1011:pay:1','W-1011','finn_walsh','finn_card','capture',13800,'2026-05-31 09:27:01.000000');
INSERT INTO "money_entries" VALUES('W-1012:pay:1','W-1012','grace_okafor','grace_card','capture',29800,'2026-05-30 07:32:01.000000');
INSERT INTO "money_entries" VALUES('W-1013:pay:1','W-1013','hugo_lindqvist','hugo_card','capture',33300,'2026-05-15 07:47:01.000000');
INSERT INTO "money_entries" VALUES('W-1015:pay:1','W-1015','jonas_weber','jonas_card','capture',44700,'2026-05-26 09:05:01.000000');
INSERT INTO "money_entries" VALUES('ada_gift:issue',NULL,'ada_park','ada_gift','gift_issue',-7000,'2026-06-01 12:00:02.000000');
INSERT INTO "money_entries" VALUES('ben_gift:issue',NULL,'ben_ortiz','ben_gift','gift_issue',-23000,'2026-06-01 12:00:02.000000');
INSERT INTO "money_entries" VALUES('chloe_gift:issue',NULL,'chloe_meyer','chloe_gift','gift_issue',-6500,'2026-06-01 12:00:02.000000');
INSERT INTO "money_entries" VALUES('dev_gift:issue',NULL,'dev_shah','dev_gift','gift_issue',-24500,'2026-06-01 12:00:02.000000');
INSERT INTO "money_entries" VALUES('ella_gift:issue',NULL,'ella_novak','ella_gift','gift_issue',-16100,'2026-06-01 12:00:02.000000');
INSERT INTO "money_entries" VALUES('finn_gift:issue',NULL,'finn_walsh','finn_gift','gift_issue',-20500,'2026-06-01 12:00:02.000000');
INSERT INTO "money_entries" VALUES('grace_gift:issue',NULL,'grace_okafor','grace_gift','gift_issue',-22000,'2026-06-01 12:00:02.000000');
INSERT INTO "money_entries" VALUES('hugo_gift:issue',NULL,'hugo_lindqvist','hugo_gift','gift_issue',-18500,'2026-06-01 12:00:02.000000');
INSERT INTO "money_entries" VALUES('iris_gift:issue',NULL,'iris_tanaka','iris_gift','gift_issue',-15000,'2026-06-01 12:00:02.000000');
INSERT INTO "money_entries" VALUES('jonas_gift:issue',NULL,'jonas_weber','jonas_gift','gift_issue',-19500,'2026-06-01 12:00:02.000000');
INSERT INTO "money_entries" VALUES('kira_gift:issue',NULL,'kira_petrov','kira_gift','gift_issue',-23500,'2026-06-01 12:00:02.000000');
INSERT INTO "money_entries" VALUES('liam_gift:issue',NULL,'liam_byrne','liam_gift','gift_issue',-19500,'2026-06-01 12:00:02.000000');
INSERT INTO "money_entries" VALUES('N-completed:pay:1','N-completed','ada_park','ada_card','capture',12300,'2026-06-01 12:00:27.000000');
INSERT INTO "money_entries" VALUES('N-paid:pay:1','N-paid','ada_park','ada_card','capture',12300,'2026-06-01 12:01:48.000000');
CREATE TABLE "notices" (
	"key" VARCHAR(150) NOT NULL, 
	event VARCHAR(40) NOT NULL, 
	customer_id VARCHAR(60), 
	order_id VARCHAR(60), 
	facts JSON NOT NULL, 
	at DATETIME NOT NULL, 
	thread_id VARCHAR(40), 
	sent BOOLEAN NOT NULL, 
	attempts BIGINT NOT NULL, 
	next_at DATETIME NOT NULL, 
	audience VARCHAR(10) NOT NULL, 
	CONSTRAINT pk_notices PRIMARY KEY ("key")
);
INSERT INTO "notices" VALUES('approval.requested:apr-4dc31bde97bc/0/0','approval.requested',NULL,'N-awaiting-the-second','{"request_id": "apr-4dc31bde97bc", "case": "very_large_order", "status": "open", "roles": ["order_manager"], "step": 1, "steps": 2, "due": "2026-06-01T16:00:09+00:00", "amount": 559600}','2026-06-01 12:00:11.000000',NULL,0,0,'2026-06-01 12:00:11.000000','staff');
INSERT INTO "notices" VALUES('approval.decided:apr-4dc31bde97bc/0/0','approval.decided',NULL,'N-awaiting-the-second','{"request_id": "apr-4dc31bde97bc", "case": "very_large_order", "status": "open", "roles": ["finance_director"], "step": 2, "steps": 2, "due": "2026-06-01T16:00:13+00:00", "amount": 559600, "decision": "approve", "role": "order_manager"}','2026-06-01 12:00:14.000000',NULL,0,0,'2026-06-01 12:00:14.000000','staff');
INSERT INTO "notices" VALUES('approval.requested:apr-4dc31bde97bc/0/1','approval.requested',NULL,'N-awaiting-the-second','{"request_id": "apr-4dc31bde97bc", "case": "very_large_order", "status": "open", "roles": ["finance_director"], "step": 2, "steps": 2, "due": "2026-06-01T16:00:13+00:00", "amount": 559600}','2026-06-01 12:00:14.000000',NULL,0,0,'2026-06-01 12:00:14.000000','staff');
INSERT INTO "notices" VALUES('parcel.shipped:N-completed/east','parcel.shipped','ada_park','N-completed','{"parcel_id": "N-completed/east", "tracking_id": "TE24B89F9A0"}','2026-06-01 12:00:28.000000','chat-first',0,0,'2026-06-01 12:00:28.000000','customers');
INSERT INTO "notices" VALUES('parcel.shipped:N-completed/west','parcel.shipped','ada_park','N-completed','{"parcel_id": "N-completed/west", "tracking_id": "TAE05729775"}','2026-06-01 12:00:30.000000','chat-first',0,0,'2026-06-01 12:00:30.000000','customers');
INSERT INTO "notices" VALUES('payment.declined:N-declined:pay:1','payment.declined','ada_park','N-declined','{"rule": "PAYMENT-DECLINED"}','2026-06-01 12:00:40.000000','chat-first',0,0,'2026-06-01 12:00:40.000000','customers');
INSERT INTO "notices" VALUES('order.cancelled:N-cancelled','order.cancelled','ada_park','N-cancelled','{"rule": "CUSTOMER-CANCELLED"}','2026-06-01 12:00:44.000000','chat-first',0,0,'2026-06-01 12:00:44.000000','customers');
INSERT INTO "notices" VALUES('payment.deferred:N-cancelling','payment.deferred','ada_park','N-cancelling','{}','2026-06-01 12:00:55.000000','chat-first',0,0,'2026-06-01 12:00:55.000000','customers');
INSERT INTO "notices" VALUES('approval.requested:apr-cb1ca1bed903/0/0','approval.requested',NULL,'N-changed','{"request_id": "apr-cb1ca1bed903", "case": "large_order", "status": "open", "roles": ["order_manager"], "step": 1, "steps": 1, "due": "2026-06-01T16:01:05+00:00", "amount": 139900}','2026-06-01 12:01:07.000000',NULL,0,0,'2026-06-01 12:01:07.000000','staff');
INSERT INTO "notices" VALUES('approval.requested:apr-132172cd94d0/0/0','approval.requested',NULL,'N-awaiting','{"request_id": "apr-132172cd94d0", "case": "large_order", "status": "open", "roles": ["order_manager"], "step": 1, "steps": 1, "due": "2026-06-01T16:01:15+00:00", "amount": 139900}','2026-06-01 12:01:17.000000',NULL,0,0,'2026-06-01 12:01:17.000000','staff');
INSERT INTO "notices" VALUES('payment.deferred:N-parked-deferred','payment.deferred','ada_park','N-parked-deferred','{}','2026-06-01 12:01:31.000000','chat-first',0,0,'2026-06-01 12:01:31.000000','customers');
INSERT INTO "notices" VALUES('payment.deferred:N-parked-unknown','payment.deferred','ada_park','N-parked-unknown','{}','2026-06-01 12:01:40.000000','chat-first',0,0,'2026-06-01 12:01:40.000000','customers');
INSERT INTO "notices" VALUES('approval.requested:apr-ba567b2eeae1/0/0','approval.requested',NULL,'W-1001','{"request_id": "apr-ba567b2eeae1", "case": "billing", "status": "open", "roles": ["billing_agent"], "step": 1, "steps": 2, "due": "2026-06-01T16:01:53+00:00", "amount": 6000}','2026-06-01 12:01:55.000000',NULL,0,0,'2026-06-01 12:01:55.000000','staff');
INSERT INTO "notices" VALUES('approval.requested:apr-b327c4aa5d02/0/0','approval.requested',NULL,'W-1001','{"request_id": "apr-b327c4aa5d02", "case": "billing", "status": "open", "roles": ["billing_agent"], "step": 1, "steps": 2, "due": "2026-06-01T16:02:00+00:00", "amount": 7000}','2026-06-01 12:02:02.000000',NULL,0,0,'2026-06-01 12:02:02.000000','staff');
INSERT INTO "notices" VALUES('approval.decided:apr-b327c4aa5d02/0/0','approval.decided',NULL,'W-1001','{"request_id": "apr-b327c4aa5d02", "case": "billing", "status": "open", "roles": ["billing_manager"], "step": 2, "steps": 2, "due": "2026-06-01T16:02:04+00:00", "amount": 7000, "decision": "approve", "role": "billing_agent"}','2026-06-01 12:02:05.000000',NULL,0,0,'2026-06-01 12:02:05.000000','staff');
INSERT INTO "notices" VALUES('approval.requested:apr-b327c4aa5d02/0/1','approval.requested',NULL,'W-1001','{"request_id": "apr-b327c4aa5d02", "case": "billing", "status": "open", "roles": ["billing_manager"], "step": 2, "steps": 2, "due": "2026-06-01T16:02:04+00:00", "amount": 7000}','2026-06-01 12:02:05.000000',NULL,0,0,'2026-06-01 12:02:05.000000','staff');
INSERT INTO "notices" VALUES('order.cancelled:W-1002','order.cancelled','ada_park','W-1002','{"rule": "CUSTOMER-CANCELLED"}','2026-06-01 12:02:06.000000',NULL,0,0,'2026-06-01 12:02:06.000000','customers');
CREATE TABLE order_lines (
	order_id VARCHAR(60) NOT NULL, 
	number BIGINT NOT NULL, 
	sku VARCHAR(40) NOT NULL, 
	quantity BIGINT NOT NULL, 
	unit_price BIGINT NOT NULL, 
	reservation VARCHAR(10) NOT NULL, 
	CONSTRAINT pk_order_lines PRIMARY KEY (order_id, number), 
	CONSTRAINT fk_order_lines_order_id FOREIGN KEY(order_id) REFERENCES orders (id), 
	CONSTRAINT fk_order_lines_sku FOREIGN KEY(sku) REFERENCES variants (sku)
);
INSERT INTO "order_lines" VALUES('W-1001',1,'DESK-WALNUT',1,64900,'shipped');
INSERT INTO "order_lines" VALUES('W-1001',2,'LAMP-OAK',1,6900,'shipped');
INSERT INTO "order_lines" VALUES('W-1002',1,'LAMP-BRASS',1,8900,'released');
INSERT INTO "order_lines" VALUES('W-1002',2,'CUSHION-SAND',2,2900,'released');
INSERT INTO "order_lines" VALUES('W-1003',1,'RUG-SAND',1,32900,'shipped');
INSERT INTO "order_lines" VALUES('W-1004',1,'KETTLE-COPPER',1,12900,'held');
INSERT INTO "order_lines" VALUES('W-1004',2,'MUG-BLUE',4,1400,'held');
INSERT INTO "order_lines" VALUES('W-1005',1,'CHAIR-OAK',4,15900,'shipped');
INSERT INTO "order_lines" VALUES('W-1005',2,'TABLE-OAK',1,99900,'shipped');
INSERT INTO "order_lines" VALUES('W-1006',1,'SHELF-OAK',1,34900,'shipped');
INSERT INTO "order_lines" VALUES('W-1006',2,'VASE-LARGE',1,5900,'shipped');
INSERT INTO "order_lines" VALUES('W-1007',1,'PAN-LARGE',1,9500,'shipped');
INSERT INTO "order_lines" VALUES('W-1007',2,'PLATES-WHITE',2,4800,'shipped');
INSERT INTO "order_lines" VALUES('W-1008',1,'MIRROR-LARGE',1,22900,'released');
INSERT INTO "order_lines" VALUES('W-1009',1,'CANDLE-SMALL',6,450,'held');
INSERT INTO "order_lines" VALUES('W-1009',2,'VASE-SMALL',1,1900,'held');
INSERT INTO "order_lines" VALUES('W-1010',1,'SOFA-LINEN',1,129900,'shipped');
INSERT INTO "order_lines" VALUES('W-1010',2,'THROW-MOSS',1,7900,'shipped');
INSERT INTO "order_lines" VALUES('W-1011',1,'STOOL-ASH',2,6900,'held');
INSERT INTO "order_lines" VALUES('W-1012',1,'PENDANT-GLASS',2,14900,'shipped');
INSERT INTO "order_lines" VALUES('W-1013',1,'CURTAIN-LONG',2,11900,'shipped');
INSERT INTO "order_lines" VALUES('W-1013',2,'CLOCK-OAK',1,9500,'shipped');
INSERT INTO "order_lines" VALUES('W-1014',1,'DESK-ASH',1,47900,'released');
INSERT INTO "order_lines" VALUES('W-1015',1,'LAMP-BLACK',2,5900,'shipped');
INSERT INTO "order_lines" VALUES('W-1015',2,'RUG-MOSS',1,32900,'shipped');
INSERT INTO "order_lines" VALUES('N-awaiting-the-second',1,'SOFA-WOOL',4,139900,'held');
INSERT INTO "order_lines" VALUES('N-reserved',1,'MUG-BLUE',2,1400,'held');
INSERT INTO "order_lines" VALUES('N-reserved',2,'CLOCK-OAK',1,9500,'held');
INSERT INTO "order_lines" VALUES('N-completed',1,'MUG-BLUE',2,1400,'shipped');
INSERT INTO "order_lines" VALUES('N-completed',2,'CLOCK-OAK',1,9500,'shipped');
INSERT INTO "order_lines" VALUES('N-declined',1,'MUG-BLUE',2,1400,'held');
INSERT INTO "order_lines" VALUES('N-declined',2,'CLOCK-OAK',1,9500,'held');
INSERT INTO "order_lines" VALUES('N-cancelled',1,'MUG-BLUE',2,1400,'none');
INSERT INTO "order_lines" VALUES('N-cancelled',2,'CLOCK-OAK',1,9500,'none');
INSERT INTO "order_lines" VALUES('N-cancelling',1,'MUG-BLUE',2,1400,'released');
INSERT INTO "order_lines" VALUES('N-cancelling',2,'CLOCK-OAK',1,9500,'released');
INSERT INTO "order_lines" VALUES('N-placed',1,'MUG-BLUE',2,1400,'none');
INSERT INTO "order_lines" VALUES('N-placed',2,'CLOCK-OAK',1,9500,'none');
INSERT INTO "order_lines" VALUES('N-changed',1,'SOFA-WOOL',1,139900,'held');
INSERT INTO "order_lines" VALUES('N-awaiting',1,'SOFA-WOOL',1,139900,'held');
INSERT INTO "order_lines" VALUES('N-approved',1,'MUG-BLUE',2,1400,'held');
INSERT INTO "order_lines" VALUES('N-approved',2,'CLOCK-OAK',1,9500,'held');
INSERT INTO "order_lines" VALUES('N-parked-deferred',1,'MUG-BLUE',2,1400,'held');
INSERT INTO "order_lines" VALUES('N-parked-deferred',2,'CLOCK-OAK',1,9500,'held');
INSERT INTO "order_lines" VALUES('N-parked-unknown',1,'MUG-BLUE',2,1400,'held');
INSERT INTO "order_lines" VALUES('N-parked-unknown',2,'CLOCK-OAK',1,9500,'held');
INSERT INTO "order_lines" VALUES('N-paid',1,'MUG-BLUE',2,1400,'held');
INSERT INTO "order_lines" VALUES('N-paid',2,'CLOCK-OAK',1,9500,'held');
CREATE TABLE "orders" (
	id VARCHAR(60) NOT NULL, 
	customer_id VARCHAR(60) NOT NULL, 
	status VARCHAR(40) NOT NULL, 
	stage VARCHAR(20) NOT NULL, 
	generation BIGINT NOT NULL, 
	revision BIGINT NOT NULL, 
	total BIGINT NOT NULL, 
	currency VARCHAR(3) NOT NULL, 
	payment_method_id VARCHAR(60) NOT NULL, 
	ship_to JSON NOT NULL, 
	reason VARCHAR(60), 
	cancel_reason VARCHAR(40), 
	placed_by VARCHAR(100) NOT NULL, 
	placed_at DATETIME NOT NULL, 
	touched_at DATETIME NOT NULL, 
	thread_id VARCHAR(40), 
	allow_partial BOOLEAN NOT NULL, 
	CONSTRAINT pk_orders PRIMARY KEY (id), 
	CONSTRAINT fk_orders_customer_id FOREIGN KEY(customer_id) REFERENCES customers (id), 
	CONSTRAINT fk_orders_payment_method_id FOREIGN KEY(payment_method_id) REFERENCES payment_methods (id)
);
INSERT INTO "orders" VALUES('W-1001','ada_park','delivered','completed',0,0,71800,'USD','ada_card','{"line1": "14 Alder Street", "line2": "", "city": "Portland", "state": "OR", "postcode": "97205", "country": "US"}',NULL,NULL,'ada_park','2026-05-11 08:55:01.000000','2026-05-11 08:55:01.000000','98cd6e1a-83aa-569f-a0bf-8a622d2d4c72',0);
INSERT INTO "orders" VALUES('W-1002','ada_park','cancelled','cancelled',0,0,14700,'USD','ada_card','{"line1": "14 Alder Street", "line2": "", "city": "Portland", "state": "OR", "postcode": "97205", "country": "US"}','CUSTOMER-CANCELLED','no longer needed','ada_park','2026-05-31 09:27:01.000000','2026-06-01 12:02:06.000000','24dbad5f-ffa0-5020-adc4-a9efb958929a',0);
INSERT INTO "orders" VALUES('W-1003','ben_ortiz','delivered','completed',0,0,32900,'USD','ben_card','{"line1": "230 Mesa Road", "line2": "", "city": "Albuquerque", "state": "NM", "postcode": "87104", "country": "US"}',NULL,NULL,'ben_ortiz','2026-05-20 09:53:01.000000','2026-05-20 09:53:01.000000','5f40e071-c401-52aa-820c-9eaabde61b7c',0);
INSERT INTO "orders" VALUES('W-1004','ben_ortiz','pending','imported',0,0,18500,'USD','ben_card','{"line1": "230 Mesa Road", "line2": "", "city": "Albuquerque", "state": "NM", "postcode": "87104", "country": "US"}',NULL,NULL,'ben_ortiz','2026-05-31 05:14:01.000000','2026-05-31 05:14:01.000000','b108f60e-b80a-5497-98d5-0a7f70121e54',0);
INSERT INTO "orders" VALUES('W-1005','chloe_meyer','delivered','completed',0,0,163500,'USD','chloe_card','{"line1": "7 Harbor Lane", "line2": "", "city": "Portland", "state": "ME", "postcode": "04101", "country": "US"}',NULL,NULL,'chloe_meyer','2026-04-28 10:28:01.000000','2026-04-28 10:28:01.000000','f00d281a-dcc0-5f4d-84d9-7fa00f36bd5d',0);
INSERT INTO "orders" VALUES('W-1006','chloe_meyer','processed','completed',0,0,40800,'USD','chloe_card','{"line1": "7 Harbor Lane", "line2": "", "city": "Portland", "state": "ME", "postcode": "04101", "country": "US"}',NULL,NULL,'chloe_meyer','2026-05-29 06:03:01.000000','2026-05-29 06:03:01.000000','395ea55b-9fbc-5950-becb-cd142c580007',0);
INSERT INTO "orders" VALUES('W-1007','dev_shah','delivered','completed',0,0,19100,'USD','dev_card','{"line1": "561 Maple Avenue", "line2": "", "city": "Columbus", "state": "OH", "postcode": "43215", "country": "US"}',NULL,NULL,'dev_shah','2026-05-23 05:21:01.000000','2026-05-23 05:21:01.000000','a79baf63-5f15-5b57-963f-27bbe848f9af',0);
INSERT INTO "orders" VALUES('W-1008','dev_shah','cancelled','cancelled',0,0,22900,'USD','dev_card','{"line1": "561 Maple Avenue", "line2": "", "city": "Columbus", "state": "OH", "postcode": "43215", "country": "US"}','IMPORTED',NULL,'dev_shah','2026-05-17 09:56:01.000000','2026-05-17 09:56:01.000000','18327e5e-1a65-5ee3-a108-710ccc9fae4b',0);
INSERT INTO "orders" VALUES('W-1009','ella_novak','pending','imported',0,0,4600,'USD','ella_gift','{"line1": "88 Lakeview Drive", "line2": "", "city": "Madison", "state": "WI", "postcode": "53703", "country": "US"}',NULL,NULL,'ella_novak','2026-05-30 11:19:01.000000','2026-05-30 11:19:01.000000','6a62439c-eaee-53a9-b185-7244fe964eff',0);
INSERT INTO "orders" VALUES('W-1010','finn_walsh','delivered','completed',0,0,137800,'USD','finn_card','{"line1": "3 Quarry Hill", "line2": "", "city": "Burlington", "state": "VT", "postcode": "05401", "country": "US"}',NULL,NULL,'finn_walsh','2026-05-04 07:06:01.000000','2026-05-04 07:06:01.000000','dcc20c67-cc60-5099-b69b-22605e7358a8',0);
INSERT INTO "orders" VALUES('W-1011','finn_walsh','pending','imported',0,0,13800,'USD','finn_card','{"line1": "3 Quarry Hill", "line2": "", "city": "Burlington", "state": "VT", "postcode": "05401", "country": "US"}',NULL,NULL,'finn_walsh','2026-05-31 09:27:01.000000','2026-05-31 09:27:01.000000','29c423ac-8aed-5fd8-bd87-630aad87b690',0);
INSERT INTO "orders" VALUES('W-1012','grace_okafor','processed','completed',0,0,29800,'USD','grace_card','{"line1": "1420 Peach Street", "line2": "", "city": "Atlanta", "state": "GA", "postcode": "30309", "country": "US"}',NULL,NULL,'grace_okafor','2026-05-30 07:32:01.000000','2026-05-30 07:32:01.000000','bcc685ce-9ab1-51f4-ad33-13bda968d3e0',0);
INSERT INTO "orders" VALUES('W-1013','hugo_lindqvist','delivered','completed',0,0,33300,'USD','hugo_card','{"line1": "19 Birch Court", "line2": "", "city": "Minneapolis", "state": "MN", "postcode": "55401", "country": "US"}',NULL,NULL,'hugo_lindqvist','2026-05-15 07:47:01.000000','2026-05-15 07:47:01.000000','dc9f0085-7e5b-54c0-8e70-e69a969a23a8',0);
INSERT INTO "orders" VALUES('W-1014','iris_tanaka','cancelled','cancelled',0,0,47900,'USD','iris_card','{"line1": "402 Cedar Way", "line2": "", "city": "Seattle", "state": "WA", "postcode": "98101", "country": "US"}','IMPORTED',NULL,'iris_tanaka','2026-04-22 04:32:01.000000','2026-04-22 04:32:01.000000','5480f442-a774-591e-8b64-92eccc23ced6',0);
INSERT INTO "orders" VALUES('W-1015','jonas_weber','delivered','completed',0,0,44700,'USD','jonas_card','{"line1": "75 Mill Street", "line2": "", "city": "Milwaukee", "state": "WI", "postcode": "53202", "country": "US"}',NULL,NULL,'jonas_weber','2026-05-26 09:05:01.000000','2026-05-26 09:05:01.000000','8a9c9fd4-e8eb-5237-bd2e-7b3715218199',0);
INSERT INTO "orders" VALUES('N-awaiting-the-second','ada_park','pending','awaiting_approval',0,0,559600,'USD','ada_card','{"line1": "14 Alder Street", "line2": "", "city": "Portland", "state": "OR", "postcode": "97205", "country": "US"}',NULL,NULL,'ada_park','2026-06-01 12:00:04.000000','2026-06-01 12:00:08.000000','e272e66c-2111-527f-9b6e-6d5530cd1af9',0);
INSERT INTO "orders" VALUES('N-reserved','ada_park','pending','reserved',0,0,12300,'USD','ada_card','{"line1": "14 Alder Street", "line2": "", "city": "Portland", "state": "OR", "postcode": "97205", "country": "US"}',NULL,NULL,'ada_park','2026-06-01 12:00:15.000000','2026-06-01 12:00:19.000000','18921371-c490-565b-8291-e8d69aec4635',0);
INSERT INTO "orders" VALUES('N-completed','ada_park','processed','completed',0,0,12300,'USD','ada_card','{"line1": "14 Alder Street", "line2": "", "city": "Portland", "state": "OR", "postcode": "97205", "country": "US"}',NULL,NULL,'ada_park','2026-06-01 12:00:20.000000','2026-06-01 12:00:32.000000','e394cee5-0f0c-5b65-b50d-2879788adc3a',0);
INSERT INTO "orders" VALUES('N-declined','ada_park','pending','declined',0,0,12300,'USD','ada_declines','{"line1": "14 Alder Street", "line2": "", "city": "Portland", "state": "OR", "postcode": "97205", "country": "US"}',NULL,NULL,'ada_park','2026-06-01 12:00:33.000000','2026-06-01 12:00:40.000000','e4675549-e1d5-5c01-8783-47fc764ef5e6',0);
INSERT INTO "orders" VALUES('N-cancelled','ada_park','cancelled','cancelled',0,0,12300,'USD','ada_card','{"line1": "14 Alder Street", "line2": "", "city": "Portland", "state": "OR", "postcode": "97205", "country": "US"}','CUSTOMER-CANCELLED','no longer needed','ada_park','2026-06-01 12:00:42.000000','2026-06-01 12:00:44.000000','17496adc-f915-5a37-86ed-c7c4e77d9a29',0);
INSERT INTO "orders" VALUES('N-cancelling','ada_park','cancelled','cancelling',0,0,12300,'USD','ada_card','{"line1": "14 Alder Street", "line2": "", "city": "Portland", "state": "OR", "postcode": "97205", "country": "US"}','CUSTOMER-CANCELLED','no longer needed','ada_park','2026-06-01 12:00:47.000000','2026-06-01 12:00:56.000000','62f97492-5a6c-5037-9912-418a6b34e239',0);
INSERT INTO "orders" VALUES('N-placed','ada_park','pending','placed',0,0,12300,'USD','ada_card','{"line1": "14 Alder Street", "line2": "", "city": "Portland", "state": "OR", "postcode": "97205", "country": "US"}',NULL,NULL,'ada_park','2026-06-01 12:00:58.000000','2026-06-01 12:00:58.000000','f8e90f7b-2fd2-5a3a-b562-32c655ea8eaf',0);
INSERT INTO "orders" VALUES('N-changed','ada_park','pending','reserved',0,1,139900,'USD','ada_card','{"line1": "1 Main Street", "line2": "", "city": "Salem", "state": "", "postcode": "97301", "country": "US"}',NULL,NULL,'ada_park','2026-06-01 12:01:00.000000','2026-06-01 12:01:08.000000','af9932c3-09e9-50cf-abb1-765781f45f6f',0);
INSERT INTO "orders" VALUES('N-awaiting','ada_park','pending','awaiting_approval',0,0,139900,'USD','ada_card','{"line1": "14 Alder Street", "line2": "", "city": "Portland", "state": "OR", "postcode": "97205", "country": "US"}',NULL,NULL,'ada_park','2026-06-01 12:01:10.000000','2026-06-01 12:01:14.000000','a531235c-9844-5aa5-a818-bf636f9755fd',0);
INSERT INTO "orders" VALUES('N-approved','ada_park','pending','approved',0,0,12300,'USD','ada_card','{"line1": "14 Alder Street", "line2": "", "city": "Portland", "state": "OR", "postcode": "97205", "country": "US"}',NULL,NULL,'ada_park','2026-06-01 12:01:18.000000','2026-06-01 12:01:23.000000','1e0965ac-9d12-5f46-936d-60ec562a0f1b',0);
INSERT INTO "orders" VALUES('N-parked-deferred','ada_park','pending','parked',0,0,12300,'USD','ada_card','{"line1": "14 Alder Street", "line2": "", "city": "Portland", "state": "OR", "postcode": "97205", "country": "US"}',NULL,NULL,'ada_park','2026-06-01 12:01:24.000000','2026-06-01 12:01:31.000000','1fe53c88-bddf-5c7d-8272-d19bbe18f9a6',0);
INSERT INTO "orders" VALUES('N-parked-unknown','ada_park','pending','parked',0,0,12300,'USD','ada_card','{"line1": "14 Alder Street", "line2": "", "city": "Portland", "state": "OR", "postcode": "97205", "country": "US"}',NULL,NULL,'ada_park','2026-06-01 12:01:32.000000','2026-06-01 12:01:40.000000','21b02b71-98b7-5680-bb54-9e37738b3568',0);
INSERT INTO "orders" VALUES('N-paid','ada_park','pending','paid',0,0,12300,'USD','ada_card','{"line1": "14 Alder Street", "line2": "", "city": "Portland", "state": "OR", "postcode": "97205", "country": "US"}',NULL,NULL,'ada_park','2026-06-01 12:01:41.000000','2026-06-01 12:01:48.000000','8d452a00-9732-5956-a345-ff7629f5c3f6',0);
CREATE TABLE "parcels" (
	id VARCHAR(100) NOT NULL, 
	order_id VARCHAR(60) NOT NULL, 
	warehouse VARCHAR(40) NOT NULL, 
	lines JSON NOT NULL, 
	state VARCHAR(20) NOT NULL, 
	tracking_id VARCHAR(40), 
	CONSTRAINT pk_parcels PRIMARY KEY (id), 
	CONSTRAINT fk_parcels_order_id FOREIGN KEY(order_id) REFERENCES orders (id)
);
INSERT INTO "parcels" VALUES('W-1001/all','W-1001','all','[1, 2]','delivered',NULL);
INSERT INTO "parcels" VALUES('W-1002/all','W-1002','all','[1, 2]','stopped',NULL);
INSERT INTO "parcels" VALUES('W-1003/all','W-1003','all','[1]','delivered',NULL);
INSERT INTO "parcels" VALUES('W-1004/all','W-1004','all','[1, 2]','planned',NULL);
INSERT INTO "parcels" VALUES('W-1005/all','W-1005','all','[1, 2]','delivered',NULL);
INSERT INTO "parcels" VALUES('W-1006/all','W-1006','all','[1, 2]','handed_over',NULL);
INSERT INTO "parcels" VALUES('W-1007/all','W-1007','all','[1, 2]','delivered',NULL);
INSERT INTO "parcels" VALUES('W-1009/all','W-1009','all','[1, 2]','planned',NULL);
INSERT INTO "parcels" VALUES('W-1010/all','W-1010','all','[1, 2]','delivered',NULL);
INSERT INTO "parcels" VALUES('W-1011/all','W-1011','all','[1]','planned',NULL);
INSERT INTO "parcels" VALUES('W-1012/all','W-1012','all','[1]','handed_over',NULL);
INSERT INTO "parcels" VALUES('W-1013/all','W-1013','all','[1, 2]','delivered',NULL);
INSERT INTO "parcels" VALUES('W-1015/all','W-1015','all','[1, 2]','delivered',NULL);
INSERT INTO "parcels" VALUES('N-completed/east','N-completed','east','[1]','handed_over','TE24B89F9A0');
INSERT INTO "parcels" VALUES('N-completed/west','N-completed','west','[2]','handed_over','TAE05729775');
INSERT INTO "parcels" VALUES('N-paid/east','N-paid','east','[1]','planned',NULL);
INSERT INTO "parcels" VALUES('N-paid/west','N-paid','west','[2]','planned',NULL);
CREATE TABLE payment_methods (
	id VARCHAR(60) NOT NULL, 
	customer_id VARCHAR(60) NOT NULL, 
	kind VARCHAR(20) NOT NULL, 
	label VARCHAR(100) NOT NULL, 
	token VARCHAR(100) NOT NULL, 
	CONSTRAINT pk_payment_methods PRIMARY KEY (id), 
	CONSTRAINT fk_payment_methods_customer_id FOREIGN KEY(customer_id) REFERENCES customers (id)
);
INSERT INTO "payment_methods" VALUES('ada_card','ada_park','card','Card ending 0001','tok_approve');
INSERT INTO "payment_methods" VALUES('ada_declines','ada_park','card','Card ending 0002 (test card: declines)','tok_decline');
INSERT INTO "payment_methods" VALUES('ada_slow','ada_park','card','Card ending 0003 (test card: slow)','tok_slow');
INSERT INTO "payment_methods" VALUES('ada_down','ada_park','card','Card ending 0004 (test card: provider down)','tok_down');
INSERT INTO "payment_methods" VALUES('ada_lost','ada_park','card','Card ending 0005 (test card: answer lost)','tok_timeout_after_charge');
INSERT INTO "payment_methods" VALUES('ada_gift','ada_park','gift_card','Gift card','gift_ada');
INSERT INTO "payment_methods" VALUES('ben_card','ben_ortiz','card','Card ending 0001','tok_approve');
INSERT INTO "payment_methods" VALUES('ben_declines','ben_ortiz','card','Card ending 0002 (test card: declines)','tok_decline');
INSERT INTO "payment_methods" VALUES('ben_slow','ben_ortiz','card','Card ending 0003 (test card: slow)','tok_slow');
INSERT INTO "payment_methods" VALUES('ben_down','ben_ortiz','card','Card ending 0004 (test card: provider down)','tok_down');
INSERT INTO "payment_methods" VALUES('ben_lost','ben_ortiz','card','Card ending 0005 (test card: answer lost)','tok_timeout_after_charge');
INSERT INTO "payment_methods" VALUES('ben_gift','ben_ortiz','gift_card','Gift card','gift_ben');
INSERT INTO "payment_methods" VALUES('chloe_card','chloe_meyer','card','Card ending 0001','tok_approve');
INSERT INTO "payment_methods" VALUES('chloe_declines','chloe_meyer','card','Card ending 0002 (test card: declines)','tok_decline');
INSERT INTO "payment_methods" VALUES('chloe_slow','chloe_meyer','card','Card ending 0003 (test card: slow)','tok_slow');
INSERT INTO "payment_methods" VALUES('chloe_down','chloe_meyer','card','Card ending 0004 (test card: provider down)','tok_down');
INSERT INTO "payment_methods" VALUES('chloe_lost','chloe_meyer','card','Card ending 0005 (test card: answer lost)','tok_timeout_after_charge');
INSERT INTO "payment_methods" VALUES('chloe_gift','chloe_meyer','gift_card','Gift card','gift_chloe');
INSERT INTO "payment_methods" VALUES('dev_card','dev_shah','card','Card ending 0001','tok_approve');
INSERT INTO "payment_methods" VALUES('dev_declines','dev_shah','card','Card ending 0002 (test card: declines)','tok_decline');
INSERT INTO "payment_methods" VALUES('dev_slow','dev_shah','card','Card ending 0003 (test card: slow)','tok_slow');
INSERT INTO "payment_methods" VALUES('dev_down','dev_shah','card','Card ending 0004 (test card: provider down)','tok_down');
INSERT INTO "payment_methods" VALUES('dev_lost','dev_shah','card','Card ending 0005 (test card: answer lost)','tok_timeout_after_charge');
INSERT INTO "payment_methods" VALUES('dev_gift','dev_shah','gift_card','Gift card','gift_dev');
INSERT INTO "payment_methods" VALUES('ella_card','ella_novak','card','Card ending 0001','tok_approve');
INSERT INTO "payment_methods" VALUES('ella_declines','ella_novak','card','Card ending 0002 (test card: declines)','tok_decline');
INSERT INTO "payment_methods" VALUES('ella_slow','ella_novak','card','Card ending 0003 (test card: slow)','tok_slow');
INSERT INTO "payment_methods" VALUES('ella_down','ella_novak','card','Card ending 0004 (test card: provider down)','tok_down');
INSERT INTO "payment_methods" VALUES('ella_lost','ella_novak','card','Card ending 0005 (test card: answer lost)','tok_timeout_after_charge');
INSERT INTO "payment_methods" VALUES('ella_gift','ella_novak','gift_card','Gift card','gift_ella');
INSERT INTO "payment_methods" VALUES('finn_card','finn_walsh','card','Card ending 0001','tok_approve');
INSERT INTO "payment_methods" VALUES('finn_declines','finn_walsh','card','Card ending 0002 (test card: declines)','tok_decline');
INSERT INTO "payment_methods" VALUES('finn_slow','finn_walsh','card','Card ending 0003 (test card: slow)','tok_slow');
INSERT INTO "payment_methods" VALUES('finn_down','finn_walsh','card','Card ending 0004 (test card: provider down)','tok_down');
INSERT INTO "payment_methods" VALUES('finn_lost','finn_walsh','card','Card ending 0005 (test card: answer lost)','tok_timeout_after_charge');
INSERT INTO "payment_methods" VALUES('finn_gift','finn_walsh','gift_card','Gift card','gift_finn');
INSERT INTO "payment_methods" VALUES('grace_card','grace_okafor','card','Card ending 0001','tok_approve');
INSERT INTO "payment_methods" VALUES('grace_declines','grace_okafor','card','Card ending 0002 (test card: declines)','tok_decline');
INSERT INTO "payment_methods" VALUES('grace_slow','grace_okafor','card','Card ending 0003 (test card: slow)','tok_slow');
INSERT INTO "payment_methods" VALUES('grace_down','grace_okafor','card','Card ending 0004 (test card: provider down)','tok_down');
INSERT INTO "payment_methods" VALUES('grace_lost','grace_okafor','card','Card ending 0005 (test card: answer lost)','tok_timeout_after_charge');
INSERT INTO "payment_methods" VALUES('grace_gift','grace_okafor','gift_card','Gift card','gift_grace');
INSERT INTO "payment_methods" VALUES('hugo_card','hugo_lindqvist','card','Card ending 0001','tok_approve');
INSERT INTO "payment_methods" VALUES('hugo_declines','hugo_lindqvist','card','Card ending 0002 (test card: declines)','tok_decline');
INSERT INTO "payment_methods" VALUES('hugo_slow','hugo_lindqvist','card','Card ending 0003 (test card: slow)','tok_slow');
INSERT INTO "payment_methods" VALUES('hugo_down','hugo_lindqvist','card','Card ending 0004 (test card: provider down)','tok_down');
INSERT INTO "payment_methods" VALUES('hugo_lost','hugo_lindqvist','card','Card ending 0005 (test card: answer lost)','tok_timeout_after_charge');
INSERT INTO "payment_methods" VALUES('hugo_gift','hugo_lindqvist','gift_card','Gift card','gift_hugo');
INSERT INTO "payment_methods" VALUES('iris_card','iris_tanaka','card','Card ending 0001','tok_approve');
INSERT INTO "payment_methods" VALUES('iris_declines','iris_tanaka','card','Card ending 0002 (test card: declines)','tok_decline');
INSERT INTO "payment_methods" VALUES('iris_slow','iris_tanaka','card','Card ending 0003 (test card: slow)','tok_slow');
INSERT INTO "payment_methods" VALUES('iris_down','iris_tanaka','card','Card ending 0004 (test card: provider down)','tok_down');
INSERT INTO "payment_methods" VALUES('iris_lost','iris_tanaka','card','Card ending 0005 (test card: answer lost)','tok_timeout_after_charge');
INSERT INTO "payment_methods" VALUES('iris_gift','iris_tanaka','gift_card','Gift card','gift_iris');
INSERT INTO "payment_methods" VALUES('jonas_card','jonas_weber','card','Card ending 0001','tok_approve');
INSERT INTO "payment_methods" VALUES('jonas_declines','jonas_weber','card','Card ending 0002 (test card: declines)','tok_decline');
INSERT INTO "payment_methods" VALUES('jonas_slow','jonas_weber','card','Card ending 0003 (test card: slow)','tok_slow');
INSERT INTO "payment_methods" VALUES('jonas_down','jonas_weber','card','Card ending 0004 (test card: provider down)','tok_down');
INSERT INTO "payment_methods" VALUES('jonas_lost','jonas_weber','card','Card ending 0005 (test card: answer lost)','tok_timeout_after_charge');
INSERT INTO "payment_methods" VALUES('jonas_gift','jonas_weber','gift_card','Gift card','gift_jonas');
INSERT INTO "payment_methods" VALUES('kira_card','kira_petrov','card','Card ending 0001','tok_approve');
INSERT INTO "payment_methods" VALUES('kira_declines','kira_petrov','card','Card ending 0002 (test card: declines)','tok_decline');
INSERT INTO "payment_methods" VALUES('kira_slow','kira_petrov','card','Card ending 0003 (test card: slow)','tok_slow');
INSERT INTO "payment_methods" VALUES('kira_down','kira_petrov','card','Card ending 0004 (test card: provider down)','tok_down');
INSERT INTO "payment_methods" VALUES('kira_lost','kira_petrov','card','Card ending 0005 (test card: answer lost)','tok_timeout_after_charge');
INSERT INTO "payment_methods" VALUES('kira_gift','kira_petrov','gift_card','Gift card','gift_kira');
INSERT INTO "payment_methods" VALUES('liam_card','liam_byrne','card','Card ending 0001','tok_approve');
INSERT INTO "payment_methods" VALUES('liam_declines','liam_byrne','card','Card ending 0002 (test card: declines)','tok_decline');
INSERT INTO "payment_methods" VALUES('liam_slow','liam_byrne','card','Card ending 0003 (test card: slow)','tok_slow');
INSERT INTO "payment_methods" VALUES('liam_down','liam_byrne','card','Card ending 0004 (test card: provider down)','tok_down');
INSERT INTO "payment_methods" VALUES('liam_lost','liam_byrne','card','Card ending 0005 (test card: answer lost)','tok_timeout_after_charge');
INSERT INTO "payment_methods" VALUES('liam_gift','liam_byrne','gift_card','Gift card','gift_liam');
CREATE TABLE "payments" (
	"key" VARCHAR(250) NOT NULL, 
	order_id VARCHAR(60) NOT NULL, 
	method_id VARCHAR(60) NOT NULL, 
	amount BIGINT NOT NULL, 
	outcome VARCHAR(20) NOT NULL, 
	provider_id VARCHAR(100), 
	at DATETIME NOT NULL, 
	attempt BIGINT, 
	provider VARCHAR(40), 
	asks BIGINT NOT NULL, 
	CONSTRAINT pk_payments PRIMARY KEY ("key"), 
	CONSTRAINT fk_payments_method_id FOREIGN KEY(method_id) REFERENCES payment_methods (id), 
	CONSTRAINT fk_payments_order_id FOREIGN KEY(order_id) REFERENCES orders (id)
);
INSERT INTO "payments" VALUES('W-1001:pay:1','W-1001','ada_card',71800,'captured','ch_8356564322264fc685cbaf50ae619cbf','2026-05-11 08:55:01.000000',1,'sandbox',0);
INSERT INTO "payments" VALUES('W-1002:pay:1','W-1002','ada_card',14700,'captured','ch_7bd9ca0fdf134cc997393b38a7e83178','2026-05-31 09:27:01.000000',1,'sandbox',0);
INSERT INTO "payments" VALUES('W-1003:pay:1','W-1003','ben_card',32900,'captured','ch_0280926178c540dab3b9720a26d655f8','2026-05-20 09:53:01.000000',1,'sandbox',0);
INSERT INTO "payments" VALUES('W-1004:pay:1','W-1004','ben_card',18500,'captured','ch_41d2dc8363e246dab92c031fe5f0a854','2026-05-31 05:14:01.000000',1,'sandbox',0);
INSERT INTO "payments" VALUES('W-1005:pay:1','W-1005','chloe_card',163500,'captured','ch_273cecb88e0b4d44a05056701ac72f4d','2026-04-28 10:28:01.000000',1,'sandbox',0);
INSERT INTO "payments" VALUES('W-1006:pay:1','W-1006','chloe_card',40800,'captured','ch_e13acc0f6854457a830fbdb3b6581bf8','2026-05-29 06:03:01.000000',1,'sandbox',0);
INSERT INTO "payments" VALUES('W-1007:pay:1','W-1007','dev_card',19100,'captured','ch_73bed9d39d9a46f6a739be075e03eb55','2026-05-23 05:21:01.000000',1,'sandbox',0);
INSERT INTO "payments" VALUES('W-1009:pay:1','W-1009','ella_gift',4600,'captured',NULL,'2026-05-30 11:19:01.000000',1,NULL,0);
INSERT INTO "payments" VALUES('W-1010:pay:1','W-1010','finn_card',137800,'captured','ch_220d3a7afcce4a67bdc6787909d69435','2026-05-04 07:06:01.000000',1,'sandbox',0);
INSERT INTO "payments" VALUES('W-1011:pay:1','W-1011','finn_card',13800,'captured','ch_4bef6a78cc3b455589d7b0366fb2f646','2026-05-31 09:27:01.000000',1,'sandbox',0);
INSERT INTO "payments" VALUES('W-1012:pay:1','W-1012','grace_card',29800,'captured','ch_0e4b4537f38c4b43b1a4e9cf33c3098a','2026-05-30 07:32:01.000000',1,'sandbox',0);
INSERT INTO "payments" VALUES('W-1013:pay:1','W-1013','hugo_card',33300,'captured','ch_5b717d33c1734a828ccc81fa2e7c81d5','2026-05-15 07:47:01.000000',1,'sandbox',0);
INSERT INTO "payments" VALUES('W-1015:pay:1','W-1015','jonas_card',44700,'captured','ch_ae34d8524f1547abb2802e718f52e673','2026-05-26 09:05:01.000000',1,'sandbox',0);
INSERT INTO "payments" VALUES('N-completed:pay:1','N-completed','ada_card',12300,'captured','ch_ca64fb8971b8419e9123917ce3260c3e','2026-06-01 12:00:26.000000',1,'sandbox',1);
INSERT INTO "payments" VALUES('N-declined:pay:1','N-declined','ada_declines',12300,'declined','ch_457ff1070a4940d4a2d03a25dc206b6f','2026-06-01 12:00:40.000000',1,'sandbox',1);
INSERT INTO "payments" VALUES('N-cancelling:pay:1','N-cancelling','ada_card',12300,'unknown',NULL,'2026-06-01 12:00:53.000000',1,'sandbox',1);
INSERT INTO "payments" VALUES('N-parked-deferred:pay:1','N-parked-deferred','ada_card',12300,'open',NULL,'2026-06-01 12:01:30.000000',1,NULL,0);
INSERT INTO "payments" VALUES('N-parked-unknown:pay:1','N-parked-unknown','ada_card',12300,'unknown',NULL,'2026-06-01 12:01:38.000000',1,'sandbox',1);
INSERT INTO "payments" VALUES('N-paid:pay:1','N-paid','ada_card',12300,'captured','ch_4bf4cc2205bb46509831bf91aca5a479','2026-06-01 12:01:47.000000',1,'sandbox',1);
CREATE TABLE products (
	id VARCHAR(40) NOT NULL, 
	name VARCHAR(200) NOT NULL, 
	CONSTRAINT pk_products PRIMARY KEY (id)
);
INSERT INTO "products" VALUES('lamp','Table lamp');
INSERT INTO "products" VALUES('pendant','Pendant light');
INSERT INTO "products" VALUES('rug','Wool rug');
INSERT INTO "products" VALUES('throw','Wool throw');
INSERT INTO "products" VALUES('cushion','Linen cushion');
INSERT INTO "products" VALUES('curtain','Linen curtain');
INSERT INTO "products" VALUES('mug','Stoneware mug');
INSERT INTO "products" VALUES('plates','Set of four plates');
INSERT INTO "products" VALUES('kettle','Kettle');
INSERT INTO "products" VALUES('pan','Cast-iron pan');
INSERT INTO "products" VALUES('candle','Beeswax candle');
INSERT INTO "products" VALUES('vase','Glass vase');
INSERT INTO "products" VALUES('clock','Wall clock');
INSERT INTO "products" VALUES('mirror','Round mirror');
INSERT INTO "products" VALUES('stool','Step stool');
INSERT INTO "products" VALUES('chair','Dining chair');
INSERT INTO "products" VALUES('shelf','Bookshelf');
INSERT INTO "products" VALUES('desk','Writing desk');
INSERT INTO "products" VALUES('table','Dining table');
INSERT INTO "products" VALUES('sofa','Three-seat sofa');
CREATE TABLE quarantine (
	id VARCHAR(40) NOT NULL, 
	thread_id VARCHAR(40) NOT NULL, 
	order_id VARCHAR(60), 
	node VARCHAR(40) NOT NULL, 
	found VARCHAR(500) NOT NULL, 
	state JSON NOT NULL, 
	at DATETIME NOT NULL, 
	CONSTRAINT pk_quarantine PRIMARY KEY (id)
);
CREATE TABLE questions (
	"key" VARCHAR(150) NOT NULL, 
	request_id VARCHAR(40) NOT NULL, 
	number BIGINT NOT NULL, 
	asked_by VARCHAR(100) NOT NULL, 
	text VARCHAR(2000) NOT NULL, 
	at DATETIME NOT NULL, 
	answer VARCHAR(8000), 
	answered_at DATETIME, 
	CONSTRAINT pk_questions PRIMARY KEY ("key"), 
	CONSTRAINT fk_questions_request_id FOREIGN KEY(request_id) REFERENCES approvals (id), 
	CONSTRAINT uq_questions_request_id_number UNIQUE (request_id, number)
);
CREATE TABLE returned_pieces (
	order_id VARCHAR(60) NOT NULL, 
	number BIGINT NOT NULL, 
	sku VARCHAR(40) NOT NULL, 
	new_sku VARCHAR(40), 
	CONSTRAINT pk_returned_pieces PRIMARY KEY (order_id, number), 
	CONSTRAINT fk_returned_pieces_new_sku FOREIGN KEY(new_sku) REFERENCES variants (sku), 
	CONSTRAINT fk_returned_pieces_order_id FOREIGN KEY(order_id) REFERENCES returns (order_id), 
	CONSTRAINT fk_returned_pieces_sku FOREIGN KEY(sku) REFERENCES variants (sku)
);
CREATE TABLE returns (
	order_id VARCHAR(60) NOT NULL, 
	method_id VARCHAR(60) NOT NULL, 
	amount BIGINT NOT NULL, 
	at DATETIME NOT NULL, 
	CONSTRAINT pk_returns PRIMARY KEY (order_id), 
	CONSTRAINT fk_returns_method_id FOREIGN KEY(method_id) REFERENCES payment_methods (id), 
	CONSTRAINT fk_returns_order_id FOREIGN KEY(order_id) REFERENCES orders (id)
);
CREATE TABLE tickets (
	id VARCHAR(40) NOT NULL, 
	customer_id VARCHAR(60) NOT NULL, 
	order_id VARCHAR(60), 
	topic VARCHAR(20) NOT NULL, 
	text VARCHAR(8000) NOT NULL, 
	status VARCHAR(10) NOT NULL, 
	at DATETIME NOT NULL, 
	CONSTRAINT pk_tickets PRIMARY KEY (id), 
	CONSTRAINT fk_tickets_customer_id FOREIGN KEY(customer_id) REFERENCES customers (id), 
	CONSTRAINT fk_tickets_order_id FOREIGN KEY(order_id) REFERENCES orders (id)
);
CREATE TABLE variants (
	sku VARCHAR(40) NOT NULL, 
	product_id VARCHAR(40) NOT NULL, 
	options JSON NOT NULL, 
	price BIGINT NOT NULL, 
	warehouse VARCHAR(40) NOT NULL, 
	on_hand BIGINT NOT NULL, 
	reserved BIGINT NOT NULL, 
	CONSTRAINT pk_variants PRIMARY KEY (sku), 
	CONSTRAINT ck_variants_never_oversold CHECK (on_hand >= reserved), 
	CONSTRAINT ck_variants_price_not_negative CHECK (price >= 0), 
	CONSTRAINT ck_variants_reserved_not_negative CHECK (reserved >= 0), 
	CONSTRAINT fk_variants_product_id FOREIGN KEY(product_id) REFERENCES products (id)
);
INSERT INTO "variants" VALUES('LAMP-OAK','lamp','{"finish": "oak"}',6900,'east',22,0);
INSERT INTO "variants" VALUES('LAMP-BRASS','lamp','{"finish": "brass"}',8900,'east',17,0);
INSERT INTO "variants" VALUES('LAMP-BLACK','lamp','{"finish": "black"}',5900,'east',24,0);
INSERT INTO "variants" VALUES('PENDANT-LINEN','pendant','{"shade": "linen"}',9900,'east',32,0);
INSERT INTO "variants" VALUES('PENDANT-GLASS','pendant','{"shade": "glass"}',14900,'east',13,0);
INSERT INTO "variants" VALUES('PENDANT-BRASS','pendant','{"shade": "brass"}',17900,'east',14,0);
INSERT INTO "variants" VALUES('RUG-SAND','rug','{"colour": "sand"}',32900,'east',38,0);
INSERT INTO "variants" VALUES('RUG-MOSS','rug','{"colour": "moss"}',32900,'east',29,0);
INSERT INTO "variants" VALUES('RUG-INDIGO','rug','{"colour": "indigo"}',34900,'east',0,0);
INSERT INTO "variants" VALUES('THROW-SAND','throw','{"colour": "sand"}',7900,'east',23,0);
INSERT INTO "variants" VALUES('THROW-MOSS','throw','{"colour": "moss"}',7900,'east',30,0);
INSERT INTO "variants" VALUES('THROW-INDIGO','throw','{"colour": "indigo"}',8500,'east',13,0);
INSERT INTO "variants" VALUES('CUSHION-SAND','cushion','{"colour": "sand"}',2900,'east',30,0);
INSERT INTO "variants" VALUES('CUSHION-MOSS','cushion','{"colour": "moss"}',2900,'east',18,0);
INSERT INTO "variants" VALUES('CUSHION-RUST','cushion','{"colour": "rust"}',3200,'east',13,0);
INSERT INTO "variants" VALUES('CURTAIN-SHORT','curtain','{"length": "short"}',7500,'east',14,0);
INSERT INTO "variants" VALUES('CURTAIN-MEDIUM','curtain','{"length": "medium"}',9500,'east',25,0);
INSERT INTO "variants" VALUES('CURTAIN-LONG','curtain','{"length": "long"}',11900,'east',25,0);
INSERT INTO "variants" VALUES('MUG-WHITE','mug','{"glaze": "white"}',1200,'east',14,0);
INSERT INTO "variants" VALUES('MUG-BLUE','mug','{"glaze": "blue"}',1400,'east',21,16);
INSERT INTO "variants" VALUES('MUG-GREEN','mug','{"glaze": "green"}',1400,'east',14,0);
INSERT INTO "variants" VALUES('PLATES-WHITE','plates','{"glaze": "white"}',4800,'east',29,0);
INSERT INTO "variants" VALUES('PLATES-BLUE','plates','{"glaze": "blue"}',5400,'east',25,0);
INSERT INTO "variants" VALUES('PLATES-GREEN','plates','{"glaze": "green"}',5400,'east',13,0);
INSERT INTO "variants" VALUES('KETTLE-STEEL','kettle','{"finish": "steel"}',7900,'east',38,0);
INSERT INTO "variants" VALUES('KETTLE-BLACK','kettle','{"finish": "black"}',8900,'east',30,0);
INSERT INTO "variants" VALUES('KETTLE-COPPER','kettle','{"finish": "copper"}',12900,'east',16,1);
INSERT INTO "variants" VALUES('PAN-SMALL','pan','{"size": "small"}',4900,'east',19,0);
INSERT INTO "variants" VALUES('PAN-MEDIUM','pan','{"size": "medium"}',6900,'east',32,0);
INSERT INTO "variants" VALUES('PAN-LARGE','pan','{"size": "large"}',9500,'east',32,0);
INSERT INTO "variants" VALUES('CANDLE-SMALL','candle','{"size": "small"}',450,'east',36,6);
INSERT INTO "variants" VALUES('CANDLE-MEDIUM','candle','{"size": "medium"}',750,'east',13,0);
INSERT INTO "variants" VALUES('CANDLE-LARGE','candle','{"size": "large"}',1200,'east',30,0);
INSERT INTO "variants" VALUES('VASE-SMALL','vase','{"size": "small"}',1900,'east',31,1);
INSERT INTO "variants" VALUES('VASE-MEDIUM','vase','{"size": "medium"}',3500,'east',24,0);
INSERT INTO "variants" VALUES('VASE-LARGE','vase','{"size": "large"}',5900,'east',13,0);
INSERT INTO "variants" VALUES('CLOCK-OAK','clock','{"wood": "oak"}',9500,'west',18,6);
INSERT INTO "variants" VALUES('CLOCK-ASH','clock','{"wood": "ash"}',8900,'west',13,0);
INSERT INTO "variants" VALUES('CLOCK-WALNUT','clock','{"wood": "walnut"}',11900,'west',1,0);
INSERT INTO "variants" VALUES('MIRROR-SMALL','mirror','{"size": "small"}',8900,'west',39,0);
INSERT INTO "variants" VALUES('MIRROR-MEDIUM','mirror','{"size": "medium"}',14900,'west',16,0);
INSERT INTO "variants" VALUES('MIRROR-LARGE','mirror','{"size": "large"}',22900,'west',21,0);
INSERT INTO "variants" VALUES('STOOL-OAK','stool','{"wood": "oak"}',7900,'west',25,0);
INSERT INTO "variants" VALUES('STOOL-ASH','stool','{"wood": "ash"}',6900,'west',18,2);
INSERT INTO "variants" VALUES('STOOL-WALNUT','stool','{"wood": "walnut"}',8900,'west',29,0);
INSERT INTO "variants" VALUES('CHAIR-OAK','chair','{"wood": "oak"}',15900,'west',15,0);
INSERT INTO "variants" VALUES('CHAIR-ASH','chair','{"wood": "ash"}',14900,'west',30,0);
INSERT INTO "variants" VALUES('CHAIR-WALNUT','chair','{"wood": "walnut"}',18900,'west',21,0);
INSERT INTO "variants" VALUES('SHELF-OAK','shelf','{"wood": "oak"}',34900,'west',29,0);
INSERT INTO "variants" VALUES('SHELF-ASH','shelf','{"wood": "ash"}',29900,'west',38,0);
INSERT INTO "variants" VALUES('SHELF-WALNUT','shelf','{"wood": "walnut"}',39900,'west',33,0);
INSERT INTO "variants" VALUES('DESK-OAK','desk','{"wood": "oak"}',54900,'west',17,0);
INSERT INTO "variants" VALUES('DESK-ASH','desk','{"wood": "ash"}',47900,'west',15,0);
INSERT INTO "variants" VALUES('DESK-WALNUT','desk','{"wood": "walnut"}',64900,'west',30,0);
INSERT INTO "variants" VALUES('TABLE-OAK','table','{"wood": "oak"}',99900,'west',30,0);
INSERT INTO "variants" VALUES('TABLE-ASH','table','{"wood": "ash"}',89900,'west',32,0);
INSERT INTO "variants" VALUES('TABLE-WALNUT','table','{"wood": "walnut"}',129900,'west',18,0);
INSERT INTO "variants" VALUES('SOFA-LINEN','sofa','{"fabric": "linen"}',129900,'west',23,0);
INSERT INTO "variants" VALUES('SOFA-WOOL','sofa','{"fabric": "wool"}',139900,'west',15,6);
INSERT INTO "variants" VALUES('SOFA-VELVET','sofa','{"fabric": "velvet"}',149900,'west',29,0);
CREATE INDEX ix_approvals_key ON approvals ("key");
CREATE INDEX ix_approvals_order_id ON approvals (order_id);
CREATE INDEX ix_approvals_status ON approvals (status);
CREATE INDEX ix_approvals_subject ON approvals (subject);
CREATE INDEX ix_approvals_thread_id ON approvals (thread_id);
CREATE INDEX ix_effects_subject ON effects (subject);
CREATE INDEX ix_payment_methods_customer_id ON payment_methods (customer_id);
CREATE INDEX ix_variants_product_id ON variants (product_id);
CREATE INDEX ix_money_entries_customer_id ON money_entries (customer_id);
CREATE INDEX ix_money_entries_method_id ON money_entries (method_id);
CREATE INDEX ix_money_entries_order_id ON money_entries (order_id);
CREATE INDEX ix_tickets_customer_id ON tickets (customer_id);
CREATE INDEX ix_returned_pieces_new_sku ON returned_pieces (new_sku);
CREATE INDEX ix_quarantine_thread_id ON quarantine (thread_id);
CREATE INDEX ix_orders_customer_id ON orders (customer_id);
CREATE INDEX ix_orders_thread_id ON orders (thread_id);
CREATE INDEX ix_orders_touched_at ON orders (touched_at);
CREATE INDEX ix_orders_stage ON orders (stage);
CREATE INDEX ix_payments_order_id ON payments (order_id);
CREATE INDEX ix_debts_settled ON debts (settled);
CREATE INDEX ix_debts_payment_key ON debts (payment_key);
CREATE INDEX ix_debts_order_id ON debts (order_id);
CREATE INDEX ix_debts_next_at ON debts (next_at);
CREATE INDEX ix_parcels_order_id ON parcels (order_id);
CREATE INDEX ix_notices_thread_id ON notices (thread_id);
CREATE INDEX ix_notices_customer_id ON notices (customer_id);
CREATE INDEX ix_notices_sent ON notices (sent);
COMMIT;
