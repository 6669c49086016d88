// Mirrors migrations/; a test compares both.

diesel::table! {
    allergen (tenant_id, id) {
        tenant_id -> Uuid,
        id -> Uuid,
        code -> Text,
        name -> Jsonb,
        is_regulated -> Bool,
        version -> Int8,
        created_at -> Timestamptz,
        deleted_at -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    allocation (tenant_id, id) {
        tenant_id -> Uuid,
        id -> Uuid,
        branch_id -> Uuid,
        payment_id -> Uuid,
        charge_id -> Uuid,
        seq -> Int4,
        amount -> Int8,
        currency -> Text,
        reason -> Text,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    api_key (tenant_id, id) {
        tenant_id -> Uuid,
        id -> Uuid,
        name -> Text,
        key_id -> Text,
        environment -> Text,
        secret_mac -> Bytea,
        pepper_id -> Text,
        previous_mac -> Nullable<Bytea>,
        previous_pepper_id -> Nullable<Text>,
        previous_valid_until -> Nullable<Timestamptz>,
        sealed_signing_secret -> Nullable<Bytea>,
        previous_sealed_signing_secret -> Nullable<Bytea>,
        expiring_told_at -> Nullable<Timestamptz>,
        scopes -> Array<Text>,
        ip_allow -> Nullable<Array<Text>>,
        requires_signature -> Bool,
        expires_at -> Nullable<Timestamptz>,
        last_used_at -> Nullable<Timestamptz>,
        revoked_at -> Nullable<Timestamptz>,
        revoked_by -> Nullable<Uuid>,
        version -> Int8,
        created_at -> Timestamptz,
        deleted_at -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    api_key_branch (tenant_id, api_key_id, branch_id) {
        tenant_id -> Uuid,
        api_key_id -> Uuid,
        branch_id -> Uuid,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    app_user (tenant_id, id) {
        tenant_id -> Uuid,
        id -> Uuid,
        email -> Text,
        name -> Text,
        password_verifier -> Text,
        is_owner -> Bool,
        token_epoch -> Int4,
        disabled_at -> Nullable<Timestamptz>,
        last_login_at -> Nullable<Timestamptz>,
        version -> Int8,
        created_at -> Timestamptz,
        deleted_at -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    audit_stage (tenant_id, stage_id) {
        tenant_id -> Uuid,
        stage_id -> Int8,
        id -> Uuid,
        branch_id -> Nullable<Uuid>,
        occurred_at -> Timestamptz,
        actor_kind -> Text,
        actor_id -> Nullable<Uuid>,
        actor_label -> Nullable<Text>,
        client_ip -> Nullable<Text>,
        user_agent -> Nullable<Text>,
        action -> Text,
        outcome -> Text,
        entity_type -> Nullable<Text>,
        entity_id -> Nullable<Uuid>,
        reason -> Nullable<Text>,
        request_id -> Nullable<Text>,
        trace_id -> Nullable<Bytea>,
        before -> Nullable<Jsonb>,
        after -> Nullable<Jsonb>,
        salt -> Bytea,
    }
}

diesel::table! {
    branch (tenant_id, id) {
        tenant_id -> Uuid,
        id -> Uuid,
        name -> Text,
        slug -> Text,
        currency -> Text,
        locale -> Text,
        timezone -> Text,
        business_day_start -> Time,
        address -> Nullable<Text>,
        phone -> Nullable<Text>,
        receipt_header -> Nullable<Text>,
        receipt_footer -> Nullable<Text>,
        waiter_may_submit -> Bool,
        auto_submit_on_confirm -> Bool,
        diners_may_open -> Bool,
        diners_may_request_check -> Bool,
        diners_may_pay_online -> Bool,
        join_code_required -> Bool,
        idle_flag_minutes -> Int4,
        menu_version -> Int8,
        version -> Int8,
        created_at -> Timestamptz,
        deleted_at -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    branch_counter (tenant_id, branch_id, name) {
        tenant_id -> Uuid,
        branch_id -> Uuid,
        name -> Text,
        value -> Int8,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    branch_hidden_category (tenant_id, branch_id, category_id) {
        tenant_id -> Uuid,
        branch_id -> Uuid,
        category_id -> Uuid,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    branch_modifier_option (tenant_id, branch_id, option_id) {
        tenant_id -> Uuid,
        branch_id -> Uuid,
        option_id -> Uuid,
        price_amount -> Int8,
        currency -> Text,
        available -> Bool,
        unavailable_until -> Nullable<Timestamptz>,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    branch_product (tenant_id, branch_id, product_id) {
        tenant_id -> Uuid,
        branch_id -> Uuid,
        product_id -> Uuid,
        price_amount -> Int8,
        currency -> Text,
        on_menu -> Bool,
        available -> Bool,
        unavailable_until -> Nullable<Timestamptz>,
        version -> Int8,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    branch_provider (tenant_id, branch_id, provider) {
        tenant_id -> Uuid,
        branch_id -> Uuid,
        provider -> Text,
        enabled -> Bool,
        config -> Nullable<Jsonb>,
        sealed_secret -> Nullable<Bytea>,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    cart_line (tenant_id, id) {
        tenant_id -> Uuid,
        id -> Uuid,
        branch_id -> Uuid,
        session_id -> Uuid,
        diner_id -> Uuid,
        product_id -> Uuid,
        qty -> Int4,
        sharing -> Text,
        notes -> Text,
        config_hash -> Bytea,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    cart_line_modifier (tenant_id, cart_line_id, option_id) {
        tenant_id -> Uuid,
        cart_line_id -> Uuid,
        option_id -> Uuid,
        qty -> Int4,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    cart_line_sharer (tenant_id, cart_line_id, diner_id) {
        tenant_id -> Uuid,
        cart_line_id -> Uuid,
        session_id -> Uuid,
        diner_id -> Uuid,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    category (tenant_id, id) {
        tenant_id -> Uuid,
        id -> Uuid,
        code -> Text,
        name -> Jsonb,
        position -> Int4,
        station -> Text,
        version -> Int8,
        created_at -> Timestamptz,
        deleted_at -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    charge (tenant_id, id) {
        tenant_id -> Uuid,
        id -> Uuid,
        branch_id -> Uuid,
        check_id -> Uuid,
        session_id -> Uuid,
        round_item_id -> Uuid,
        position -> Int4,
        qty -> Int4,
        amount -> Int8,
        currency -> Text,
        diner_id -> Nullable<Uuid>,
        description -> Jsonb,
        released_at -> Nullable<Timestamptz>,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    check_share (tenant_id, check_id, revision, diner_id) {
        tenant_id -> Uuid,
        check_id -> Uuid,
        revision -> Int4,
        session_id -> Uuid,
        diner_id -> Uuid,
        amount -> Int8,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    check_split (tenant_id, check_id, revision) {
        tenant_id -> Uuid,
        check_id -> Uuid,
        revision -> Int4,
        session_id -> Uuid,
        method -> Text,
        made_at -> Timestamptz,
        made_by_kind -> Text,
        made_by_id -> Nullable<Uuid>,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    dead_letter (tenant_id, id) {
        tenant_id -> Uuid,
        id -> Uuid,
        source -> Text,
        source_id -> Text,
        event_type -> Nullable<Text>,
        payload -> Jsonb,
        error_class -> Text,
        error_code -> Text,
        error_text -> Text,
        attempts -> Int4,
        redrives -> Int4,
        first_failed_at -> Timestamptz,
        last_failed_at -> Timestamptz,
        next_attempt_at -> Nullable<Timestamptz>,
        state -> Text,
        lease_owner -> Nullable<Text>,
        lease_until -> Nullable<Timestamptz>,
        fence -> Int8,
        trace_id -> Nullable<Text>,
        resolved_by -> Nullable<Text>,
        resolved_at -> Nullable<Timestamptz>,
        note -> Nullable<Text>,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    device (tenant_id, id) {
        tenant_id -> Uuid,
        id -> Uuid,
        token_hash -> Bytea,
        preferences -> Jsonb,
        last_seen_at -> Timestamptz,
        forgotten_at -> Nullable<Timestamptz>,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    diner (tenant_id, id) {
        tenant_id -> Uuid,
        id -> Uuid,
        branch_id -> Uuid,
        session_id -> Uuid,
        name -> Text,
        color -> Text,
        client_ref -> Nullable<Text>,
        device_id -> Nullable<Uuid>,
        registered_by_user_id -> Nullable<Uuid>,
        preferences -> Jsonb,
        version -> Int8,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    event_consumer (consumer, shard) {
        consumer -> Text,
        shard -> Int4,
        pos -> Int8,
        term -> Int8,
    }
}

diesel::table! {
    event_day (shard, recorded_on) {
        shard -> Int4,
        recorded_on -> Date,
        first_pos -> Int8,
    }
}

diesel::table! {
    event_epoch (sole) {
        sole -> Bool,
        epoch -> Text,
        since -> Timestamptz,
        reason -> Text,
    }
}

diesel::table! {
    event_log (tenant_id, recorded_on, shard, pos) {
        tenant_id -> Uuid,
        recorded_on -> Date,
        shard -> Int4,
        pos -> Int8,
        branch_id -> Nullable<Uuid>,
        seq -> Nullable<Int8>,
        event_id -> Uuid,
        #[sql_name = "type"]
        type_ -> Text,
        subject -> Text,
        session_id -> Nullable<Uuid>,
        sector_id -> Nullable<Uuid>,
        attributes -> Nullable<Jsonb>,
        data -> Jsonb,
        occurred_at -> Timestamptz,
        recorded_at -> Timestamptz,
    }
}

diesel::table! {
    event_shard (shard) {
        shard -> Int4,
        pos -> Int8,
        term -> Int8,
        holder -> Nullable<Text>,
        published_pos -> Int8,
    }
}

diesel::table! {
    guest_check (tenant_id, id) {
        tenant_id -> Uuid,
        id -> Uuid,
        branch_id -> Uuid,
        session_id -> Uuid,
        number -> Int8,
        status -> Text,
        currency -> Text,
        total_amount -> Int8,
        paid_amount -> Int8,
        surplus_amount -> Int8,
        split_revision -> Int4,
        requested_at -> Timestamptz,
        requested_by_kind -> Text,
        requested_by_id -> Nullable<Uuid>,
        voided_at -> Nullable<Timestamptz>,
        voided_by_kind -> Nullable<Text>,
        voided_by_id -> Nullable<Uuid>,
        paid_at -> Nullable<Timestamptz>,
        settled_at -> Nullable<Timestamptz>,
        business_day -> Nullable<Date>,
        version -> Int8,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    idempotency_record (tenant_id, id) {
        tenant_id -> Uuid,
        id -> Uuid,
        principal_kind -> Text,
        principal_id -> Uuid,
        method -> Text,
        route -> Text,
        key -> Text,
        fingerprint -> Bytea,
        state -> Text,
        status -> Nullable<Int4>,
        headers -> Nullable<Jsonb>,
        body -> Nullable<Bytea>,
        lease_until -> Nullable<Timestamptz>,
        resource_id -> Nullable<Uuid>,
        expires_at -> Timestamptz,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    item_void (tenant_id, id) {
        tenant_id -> Uuid,
        id -> Uuid,
        branch_id -> Uuid,
        round_item_id -> Uuid,
        qty -> Int4,
        reason -> Text,
        made_at -> Timestamptz,
        made_by_kind -> Text,
        made_by_id -> Nullable<Uuid>,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    kitchen_ticket (tenant_id, id) {
        tenant_id -> Uuid,
        id -> Uuid,
        branch_id -> Uuid,
        round_id -> Uuid,
        station -> Text,
        status -> Text,
        in_progress_at -> Nullable<Timestamptz>,
        in_progress_by_kind -> Nullable<Text>,
        in_progress_by_id -> Nullable<Uuid>,
        ready_at -> Nullable<Timestamptz>,
        ready_by_kind -> Nullable<Text>,
        ready_by_id -> Nullable<Uuid>,
        delivered_at -> Nullable<Timestamptz>,
        delivered_by_kind -> Nullable<Text>,
        delivered_by_id -> Nullable<Uuid>,
        canceled_at -> Nullable<Timestamptz>,
        canceled_by_kind -> Nullable<Text>,
        canceled_by_id -> Nullable<Uuid>,
        version -> Int8,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    kitchen_ticket_item (tenant_id, id) {
        tenant_id -> Uuid,
        id -> Uuid,
        branch_id -> Uuid,
        ticket_id -> Uuid,
        round_item_id -> Uuid,
        qty -> Int4,
        canceled_qty -> Int4,
        status -> Text,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    modifier_group (tenant_id, id) {
        tenant_id -> Uuid,
        id -> Uuid,
        code -> Text,
        name -> Jsonb,
        min_select -> Int4,
        max_select -> Int4,
        version -> Int8,
        created_at -> Timestamptz,
        deleted_at -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    modifier_option (tenant_id, id) {
        tenant_id -> Uuid,
        id -> Uuid,
        group_id -> Uuid,
        code -> Text,
        name -> Jsonb,
        position -> Int4,
        max_qty -> Int4,
        version -> Int8,
        created_at -> Timestamptz,
        deleted_at -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    modifier_option_allergen (tenant_id, option_id, allergen_id) {
        tenant_id -> Uuid,
        option_id -> Uuid,
        allergen_id -> Uuid,
        presence -> Text,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    outbox_stage (tenant_id, stage_id) {
        tenant_id -> Uuid,
        stage_id -> Int8,
        branch_id -> Nullable<Uuid>,
        shard -> Int4,
        event_id -> Uuid,
        #[sql_name = "type"]
        type_ -> Text,
        subject -> Text,
        session_id -> Nullable<Uuid>,
        sector_id -> Nullable<Uuid>,
        attributes -> Nullable<Jsonb>,
        data -> Jsonb,
        occurred_at -> Timestamptz,
        numbered -> Bool,
    }
}

diesel::table! {
    payment (tenant_id, id) {
        tenant_id -> Uuid,
        id -> Uuid,
        branch_id -> Uuid,
        check_id -> Uuid,
        session_id -> Uuid,
        provider -> Text,
        status -> Text,
        currency -> Text,
        amount -> Int8,
        tip_amount -> Int8,
        payer_diner_id -> Nullable<Uuid>,
        tendered_amount -> Nullable<Int8>,
        change_amount -> Nullable<Int8>,
        unallocated_amount -> Int8,
        refunded_amount -> Int8,
        refunded_tip_amount -> Int8,
        external_id -> Nullable<Text>,
        checkout_url -> Nullable<Text>,
        reference -> Nullable<Text>,
        failure_code -> Nullable<Text>,
        split_revision -> Int4,
        expires_at -> Nullable<Timestamptz>,
        created_at -> Timestamptz,
        created_by_kind -> Text,
        created_by_id -> Nullable<Uuid>,
        approved_at -> Nullable<Timestamptz>,
        approved_by_kind -> Nullable<Text>,
        approved_by_id -> Nullable<Uuid>,
        version -> Int8,
    }
}

diesel::table! {
    payment_cover (tenant_id, payment_id, position) {
        tenant_id -> Uuid,
        payment_id -> Uuid,
        position -> Int4,
        session_id -> Uuid,
        diner_id -> Uuid,
        amount -> Int8,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    product (tenant_id, id) {
        tenant_id -> Uuid,
        id -> Uuid,
        category_id -> Uuid,
        code -> Text,
        name -> Jsonb,
        description -> Nullable<Jsonb>,
        image_url -> Nullable<Text>,
        position -> Int4,
        station -> Nullable<Text>,
        diets -> Array<Text>,
        version -> Int8,
        created_at -> Timestamptz,
        deleted_at -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    product_allergen (tenant_id, product_id, allergen_id) {
        tenant_id -> Uuid,
        product_id -> Uuid,
        allergen_id -> Uuid,
        presence -> Text,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    product_modifier_group (tenant_id, product_id, group_id) {
        tenant_id -> Uuid,
        product_id -> Uuid,
        group_id -> Uuid,
        position -> Int4,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    refresh_family (tenant_id, id) {
        tenant_id -> Uuid,
        id -> Uuid,
        user_id -> Uuid,
        token_hash -> Bytea,
        previous_hash -> Nullable<Bytea>,
        rotated_at -> Nullable<Timestamptz>,
        generation -> Int4,
        expires_at -> Timestamptz,
        revoked_at -> Nullable<Timestamptz>,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    request_nonce (tenant_id, api_key_id, nonce) {
        tenant_id -> Uuid,
        api_key_id -> Uuid,
        nonce -> Text,
        claim -> Uuid,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    restaurant_table (tenant_id, id) {
        tenant_id -> Uuid,
        id -> Uuid,
        branch_id -> Uuid,
        sector_id -> Uuid,
        code -> Text,
        capacity -> Int4,
        out_of_service -> Bool,
        out_of_service_reason -> Nullable<Text>,
        qr_version -> Int4,
        version -> Int8,
        created_at -> Timestamptz,
        deleted_at -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    round (tenant_id, id) {
        tenant_id -> Uuid,
        id -> Uuid,
        branch_id -> Uuid,
        session_id -> Uuid,
        number -> Int4,
        status -> Text,
        source -> Text,
        notes -> Text,
        menu_version -> Int8,
        cancel_reason -> Nullable<Text>,
        pending_at -> Timestamptz,
        pending_by_kind -> Text,
        pending_by_id -> Nullable<Uuid>,
        confirmed_at -> Nullable<Timestamptz>,
        confirmed_by_kind -> Nullable<Text>,
        confirmed_by_id -> Nullable<Uuid>,
        submitted_at -> Nullable<Timestamptz>,
        submitted_by_kind -> Nullable<Text>,
        submitted_by_id -> Nullable<Uuid>,
        in_kitchen_at -> Nullable<Timestamptz>,
        in_kitchen_by_kind -> Nullable<Text>,
        in_kitchen_by_id -> Nullable<Uuid>,
        ready_at -> Nullable<Timestamptz>,
        ready_by_kind -> Nullable<Text>,
        ready_by_id -> Nullable<Uuid>,
        served_at -> Nullable<Timestamptz>,
        served_by_kind -> Nullable<Text>,
        served_by_id -> Nullable<Uuid>,
        canceled_at -> Nullable<Timestamptz>,
        canceled_by_kind -> Nullable<Text>,
        canceled_by_id -> Nullable<Uuid>,
        version -> Int8,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    round_item (tenant_id, id) {
        tenant_id -> Uuid,
        id -> Uuid,
        branch_id -> Uuid,
        round_id -> Uuid,
        session_id -> Uuid,
        line_no -> Int4,
        product_id -> Uuid,
        product_name -> Jsonb,
        station -> Text,
        diner_id -> Nullable<Uuid>,
        sharing -> Text,
        qty -> Int4,
        voided_qty -> Int4,
        base_amount -> Int8,
        modifiers_amount -> Int8,
        unit_amount -> Int8,
        currency -> Text,
        notes -> Text,
        allergen_alerts -> Array<Text>,
        cart_line_id -> Nullable<Uuid>,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    round_item_modifier (tenant_id, round_item_id, option_id) {
        tenant_id -> Uuid,
        round_item_id -> Uuid,
        option_id -> Uuid,
        name -> Jsonb,
        qty -> Int4,
        unit_amount -> Int8,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    round_item_sharer (tenant_id, round_item_id, diner_id) {
        tenant_id -> Uuid,
        round_item_id -> Uuid,
        session_id -> Uuid,
        diner_id -> Uuid,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    sector (tenant_id, id) {
        tenant_id -> Uuid,
        id -> Uuid,
        branch_id -> Uuid,
        name -> Text,
        prefix -> Text,
        display_order -> Int4,
        version -> Int8,
        created_at -> Timestamptz,
        deleted_at -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    sector_assignment (tenant_id, id) {
        tenant_id -> Uuid,
        id -> Uuid,
        branch_id -> Uuid,
        sector_id -> Uuid,
        user_id -> Uuid,
        business_date -> Date,
        shift -> Text,
        created_at -> Timestamptz,
        deleted_at -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    service_call (tenant_id, id) {
        tenant_id -> Uuid,
        id -> Uuid,
        branch_id -> Uuid,
        session_id -> Uuid,
        #[sql_name = "type"]
        type_ -> Text,
        status -> Text,
        note -> Nullable<Text>,
        raised_by_diner_id -> Nullable<Uuid>,
        reminder_count -> Int4,
        last_reminder_at -> Nullable<Timestamptz>,
        acked_at -> Nullable<Timestamptz>,
        acked_by_kind -> Nullable<Text>,
        acked_by_id -> Nullable<Uuid>,
        closed_at -> Nullable<Timestamptz>,
        closed_by_kind -> Nullable<Text>,
        closed_by_id -> Nullable<Uuid>,
        version -> Int8,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    staff_grant (tenant_id, id) {
        tenant_id -> Uuid,
        id -> Uuid,
        branch_id -> Uuid,
        user_id -> Uuid,
        role -> Text,
        created_at -> Timestamptz,
        deleted_at -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    table_session (tenant_id, id) {
        tenant_id -> Uuid,
        id -> Uuid,
        branch_id -> Uuid,
        table_id -> Uuid,
        status -> Text,
        seating -> Int4,
        join_code -> Text,
        party_size -> Nullable<Int4>,
        note -> Nullable<Text>,
        assigned_waiter_id -> Nullable<Uuid>,
        cart_version -> Int8,
        next_round_number -> Int4,
        opened_at -> Timestamptz,
        opened_by_kind -> Text,
        opened_by_id -> Nullable<Uuid>,
        paying_at -> Nullable<Timestamptz>,
        paying_by_kind -> Nullable<Text>,
        paying_by_id -> Nullable<Uuid>,
        closed_at -> Nullable<Timestamptz>,
        closed_by_kind -> Nullable<Text>,
        closed_by_id -> Nullable<Uuid>,
        close_reason -> Nullable<Text>,
        last_activity_at -> Timestamptz,
        flagged_idle_at -> Nullable<Timestamptz>,
        version -> Int8,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    tenant (tenant_id) {
        tenant_id -> Uuid,
        name -> Text,
        default_locale -> Text,
        allowed_origins -> Array<Text>,
        status -> Text,
        sandbox -> Bool,
        version -> Int8,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    tenant_directory (slug) {
        tenant_id -> Uuid,
        slug -> Text,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    tip (tenant_id, id) {
        tenant_id -> Uuid,
        id -> Uuid,
        branch_id -> Uuid,
        check_id -> Uuid,
        session_id -> Uuid,
        payment_id -> Uuid,
        amount -> Int8,
        currency -> Text,
        diner_id -> Nullable<Uuid>,
        waiter_id -> Nullable<Uuid>,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    webhook_attempt (tenant_id, id) {
        tenant_id -> Uuid,
        id -> Uuid,
        delivery_id -> Uuid,
        endpoint_id -> Uuid,
        branch_id -> Uuid,
        attempt -> Int4,
        started_at -> Timestamptz,
        duration_ms -> Int4,
        response_code -> Nullable<Int4>,
        error_class -> Nullable<Text>,
        error_code -> Nullable<Text>,
        reply -> Nullable<Text>,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    webhook_branch (tenant_id, endpoint_id, branch_id) {
        tenant_id -> Uuid,
        endpoint_id -> Uuid,
        branch_id -> Uuid,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    webhook_delivery (tenant_id, id) {
        tenant_id -> Uuid,
        id -> Uuid,
        endpoint_id -> Uuid,
        branch_id -> Uuid,
        event_id -> Uuid,
        event_type -> Text,
        seq -> Nullable<Int8>,
        body -> Text,
        traceparent -> Nullable<Text>,
        attempt -> Int4,
        status -> Text,
        response_code -> Nullable<Int4>,
        next_attempt_at -> Nullable<Timestamptz>,
        lease_owner -> Nullable<Text>,
        lease_until -> Nullable<Timestamptz>,
        fence -> Int8,
        created_at -> Timestamptz,
        settled_at -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    webhook_endpoint (tenant_id, id) {
        tenant_id -> Uuid,
        id -> Uuid,
        url -> Text,
        event_types -> Array<Text>,
        enabled -> Bool,
        disabled_at -> Nullable<Timestamptz>,
        disabled_reason -> Nullable<Text>,
        sealed_secret -> Bytea,
        previous_sealed_secret -> Nullable<Bytea>,
        previous_valid_until -> Nullable<Timestamptz>,
        failing_since -> Nullable<Timestamptz>,
        concurrency -> Int4,
        version -> Int8,
        created_at -> Timestamptz,
        deleted_at -> Nullable<Timestamptz>,
    }
}

diesel::allow_tables_to_appear_in_same_query!(
    allergen,
    allocation,
    api_key,
    api_key_branch,
    app_user,
    audit_stage,
    branch,
    branch_counter,
    branch_hidden_category,
    branch_modifier_option,
    branch_product,
    branch_provider,
    cart_line,
    cart_line_modifier,
    cart_line_sharer,
    category,
    charge,
    check_share,
    check_split,
    dead_letter,
    device,
    diner,
    event_consumer,
    event_day,
    event_epoch,
    event_log,
    event_shard,
    guest_check,
    idempotency_record,
    item_void,
    kitchen_ticket,
    kitchen_ticket_item,
    modifier_group,
    modifier_option,
    modifier_option_allergen,
    outbox_stage,
    payment,
    payment_cover,
    product,
    product_allergen,
    product_modifier_group,
    refresh_family,
    request_nonce,
    restaurant_table,
    round,
    round_item,
    round_item_modifier,
    round_item_sharer,
    sector,
    sector_assignment,
    service_call,
    staff_grant,
    table_session,
    tenant,
    tenant_directory,
    tip,
    webhook_attempt,
    webhook_branch,
    webhook_delivery,
    webhook_endpoint,
);
