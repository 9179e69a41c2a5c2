-- Webhooks of partners and the feed. The row of an event is the outbox: what is to be sent is written with it, by trigger,
-- in the transaction of the change, and the worker only marks what has become of it. After 148, whose policy on referrals
-- says who of a partner knows of one.

set local role samaki_definer;  -- who owns what follows

-- May a webhook tell of a referral? As the row policy on referrals says of its keeper, asked anew whenever it is sent.
create or replace function webhook_may_tell(the_organisation uuid, the_keeper uuid, the_referral uuid) returns boolean
  language sql stable security definer
  set search_path = pg_catalog, public, pg_temp
as $$
  select exists (select from referrals r
                  where r.id = the_referral
                    and (r.partner_id = the_organisation or (r.organisation_id = the_organisation and r.standard))
                    and not exists (select from case_exclusions x
                                     where x.case_id = r.case_id and x.user_id = the_keeper and x.lifted_at is null))
$$;

-- The place of an event among those of its referral, whose row is held by whoever writes one. Neither ids nor numbers of
-- transactions say it: who waited for the row may have begun before. Such an event goes with the transaction of the one
-- before it, so that the feed has both in their order; nobody has read that far while the earlier transaction is open.
create or replace function on_referral_event_placed() returns trigger
  language plpgsql volatile security definer
  set search_path = pg_catalog, public, pg_temp
as $$
declare
  before record;
begin
  select e.referral_place as place, e.xid into before from events e
   where e.referral_id = new.referral_id and e.referral_place is not null order by e.referral_place desc limit 1;
  new.referral_place := coalesce(before.place, 0) + 1;
  new.xid := greatest(new.xid, before.xid);
  return new;
end
$$;

create or replace function on_referral_event() returns trigger
  language plpgsql volatile security definer
  set search_path = pg_catalog, public, pg_temp
as $$
begin
  insert into webhook_deliveries (id, webhook_id, organisation_id, case_id, event_id, referral_id, type, place, status,
                                  attempts, next_attempt_at, created_at)
  select gen_random_uuid(), h.id, h.organisation_id, new.case_id, new.id, new.referral_id, new.type, new.referral_place,
         'pending', 0, app_now(), app_now()
    from webhooks h
   where h.organisation_id in (new.partner_id, new.organisation_id) and h.active
     and h.events && array['referral.*', new.type]::varchar[]
     and webhook_may_tell(h.organisation_id, h.keeper_id, new.referral_id);
  return null;
end
$$;

-- A webhook stops with the account of its keeper, until somebody else of the organisation takes it over.
create or replace function on_webhook_keeper_changed() returns trigger
  language plpgsql volatile security definer
  set search_path = pg_catalog, public, pg_temp
as $$
begin
  update webhooks
     set active = false, stopped_because = 'keeper_left', version = version + 1, updated_at = app_now()
   where keeper_id = new.id and active;
  return null;
end
$$;

-- The worker: what is due now, taken for `lease`. Of one referral the next event waits until the one before has arrived or
-- is dead; of one organisation at most `each` are on their way at once, so that a slow receiver delays nobody else. What
-- may not be told any more is not sent, now or later.
create or replace function claim_deliveries(clock timestamptz, at_most int, each int, lease interval)
  returns table (id uuid, claim uuid, webhook_id uuid, url text, sealed bytea, previous_sealed bytea, event_id uuid,
                 type text, at timestamptz, referral_id uuid, status text, attempts int, sent_at timestamptz)
  language plpgsql volatile security definer
  set search_path = pg_catalog, public, pg_temp
as $$
#variable_conflict use_column
begin
  -- What a crash of the server forgets of this is sent once more, which a receiver must bear anyway.
  perform set_config('samaki.now', coalesce(clock::text, ''), true), set_config('synchronous_commit', 'off', true);
  return query
  with due as materialized (
    select d.id, d.next_attempt_at
      from organisations o
     cross join lateral (
       select d.id, d.next_attempt_at
         from webhook_deliveries d
         join webhooks h on h.id = d.webhook_id and h.active
        where d.organisation_id = o.id and d.status = 'pending' and d.next_attempt_at <= app_now()
          and (d.lease_until is null or d.lease_until <= app_now())
          and not exists (select from webhook_deliveries p
                           where p.webhook_id = d.webhook_id and p.referral_id = d.referral_id and p.status = 'pending'
                             and (p.place, p.id) < (d.place, d.id))
        order by d.next_attempt_at
        limit greatest(0, each - (select count(*) from webhook_deliveries f
                                   where f.organisation_id = o.id and f.claim is not null and f.lease_until > app_now()))
          for update of d skip locked) d
     where o.active and exists (select from webhooks h where h.organisation_id = o.id and h.active)
     order by d.next_attempt_at
     limit at_most),
  hidden as (
    delete from webhook_deliveries d using due, webhooks h
     where d.id = due.id and h.id = d.webhook_id
       and not webhook_may_tell(h.organisation_id, h.keeper_id, d.referral_id)),
  taken as (
    update webhook_deliveries d set claim = gen_random_uuid(), lease_until = app_now() + lease
      from due, webhooks h
     where d.id = due.id and h.id = d.webhook_id and webhook_may_tell(h.organisation_id, h.keeper_id, d.referral_id)
    returning d.*)
  select t.id, t.claim, t.webhook_id, h.url::text, h.sealed,
         case when h.previous_until > app_now() then h.previous_sealed end,
         e.id, e.type::text, e.at, e.referral_id, e.data ->> 'status', t.attempts, app_now()
    from taken t join webhooks h on h.id = t.webhook_id join events e on e.id = t.event_id
   order by t.next_attempt_at, t.place;
end
$$;

-- The worker: what came of what it took. `waits` are seconds until the next attempt, null when there is none. Whoever finds
-- another claim there was too slow, and somebody else is at it.
create or replace function settle_deliveries(
    clock timestamptz, ids uuid[], claims uuid[], arrived boolean[], codes int[], problems text[], waits int[])
  returns void
  language plpgsql volatile security definer
  set search_path = pg_catalog, public, pg_temp
as $$
declare
  tried_again uuid[];  -- and not what has arrived at the first attempt: nothing was put off for it
  gone uuid[];
begin
  -- What a crash of the server forgets of this is sent once more, which a receiver must bear anyway.
  perform set_config('samaki.now', coalesce(clock::text, ''), true), set_config('synchronous_commit', 'off', true);
  -- Who takes a webhook away takes its deliveries too, one after the other: that waits until this is done.
  perform from webhooks h where h.id in (select d.webhook_id from webhook_deliveries d where d.id = any (ids))
    order by h.id for key share;
  with said as (
    select * from unnest(ids, claims, arrived, codes, problems, waits) s (id, claim, arrived, code, problem, wait)),
  done as (
    update webhook_deliveries d
       set status = case when s.arrived then 'delivered' when s.wait is null then 'dead' else 'pending' end,
           attempts = d.attempts + 1, claim = null, lease_until = null, last_status_code = s.code, last_problem = s.problem,
           next_attempt_at = app_now() + make_interval(secs => coalesce(s.wait, 0)),
           delivered_at = case when s.arrived then app_now() end
      from said s
     where d.id = s.id and d.claim = s.claim
    returning d.id, d.webhook_id, d.status, d.attempts, d.last_status_code)
  select array_agg(done.id) filter (where done.status = 'pending' or done.attempts > 1),
         array_agg(done.webhook_id) filter (where done.last_status_code = 410)
    into tried_again, gone from done;
  -- What waits behind it is due when it is tried again, so that nobody looks at it before; and at once when it is over.
  update webhook_deliveries f
     set next_attempt_at = case when d.status = 'pending' then d.next_attempt_at else app_now() end
    from webhook_deliveries d
   where d.id = any (tried_again) and f.webhook_id = d.webhook_id and f.referral_id = d.referral_id
     and f.status = 'pending' and (f.place, f.id) > (d.place, d.id);
  update webhooks h
     set active = false, stopped_because = 'gone', version = version + 1, updated_at = app_now()
   where h.id = any (gone) and h.active;
end
$$;

-- Once more, with the same ids: one event, all since a time, or (neither) all that is dead. Gives how many, or one more
-- than `at_most`, and then none of them is.
create or replace function redeliver(the_hook uuid, the_event uuid, since timestamptz, at_most int) returns int
  language plpgsql volatile security definer
  set search_path = pg_catalog, public, pg_temp
as $$
declare
  h webhooks;
  wanted uuid[];
begin
  select w.* into h from webhooks w
   where w.id = the_hook and w.organisation_id = app_organisation_id() and app_role() = 'partner';
  if the_event is not null or since is not null then
    wanted := array(
      select e.id from events e
       where e.referral_id is not null and e.type = any (h.events || case when 'referral.*' = any (h.events) then e.type end)
         and (e.partner_id = h.organisation_id or e.organisation_id = h.organisation_id)
         and (the_event is null or e.id = the_event) and (since is null or e.at >= since)
         and e.case_id <> all ((select app_excluded_cases())::uuid[])
         and webhook_may_tell(h.organisation_id, h.keeper_id, e.referral_id)
       limit at_most + 1);
  else
    wanted := array(
      select d.event_id from webhook_deliveries d
       where d.webhook_id = h.id and d.status = 'dead' and d.case_id <> all ((select app_excluded_cases())::uuid[])
         and webhook_may_tell(h.organisation_id, h.keeper_id, d.referral_id)
       limit at_most + 1);
  end if;
  if cardinality(wanted) <= at_most then
    insert into webhook_deliveries (id, webhook_id, organisation_id, case_id, event_id, referral_id, type, place, status,
                                    attempts, next_attempt_at, created_at)
    select gen_random_uuid(), h.id, h.organisation_id, e.case_id, e.id, e.referral_id, e.type, coalesce(e.referral_place, 0),
           'pending', 0, app_now(), app_now()
      from events e where e.id = any (wanted)
        on conflict (webhook_id, event_id) do update
           set status = 'pending', attempts = 0, next_attempt_at = excluded.next_attempt_at, delivered_at = null;
    update webhook_deliveries d set next_attempt_at = app_now()  -- and what was put off for them
     where d.webhook_id = h.id and d.status = 'pending' and d.next_attempt_at > app_now()
       and d.referral_id in (select e.referral_id from events e where e.id = any (wanted));
  end if;
  return cardinality(wanted);
end
$$;

-- Where an event stands in the stream of its organisations; asked by who was given its id under our own mark, and may not
-- be allowed to read it any more.
create or replace function feed_place(the_event uuid) returns table (place_xid xid8, place int)
  language sql stable security definer
  set search_path = pg_catalog, public, pg_temp
as $$
  select e.xid, coalesce(e.referral_place, 0) from events e where e.id = the_event and app_role() = 'partner'
$$;

-- The worker: what has arrived is kept for a while, to be looked at.
create or replace function forget_deliveries(at_most int) returns int
  language plpgsql volatile security definer
  set search_path = pg_catalog, public, pg_temp
as $$
declare
  done int;
begin
  delete from webhook_deliveries d
   where d.id in (select w.id from webhook_deliveries w
                   where w.status = 'delivered' and w.delivered_at <= app_now() - interval '30 days'
                   order by w.delivered_at limit at_most for update skip locked);
  get diagnostics done = row_count;
  return done;
end
$$;

-- For the numbers of this machine: of all organisations together.
create or replace function delivery_counts() returns table (deliveries bigint, dead_deliveries bigint)
  language sql stable security definer
  set search_path = pg_catalog, public, pg_temp
as $$
  select (select count(*) from webhook_deliveries where status = 'pending'),
         (select count(*) from webhook_deliveries where status = 'dead')
$$;

do $$
declare
  f text;
begin
  foreach f in array array[
    'webhook_may_tell(uuid, uuid, uuid)', 'on_referral_event_placed()', 'on_referral_event()',
    'on_webhook_keeper_changed()', 'claim_deliveries(timestamptz, int, int, interval)',
    'settle_deliveries(timestamptz, uuid[], uuid[], boolean[], int[], text[], int[])',
    'redeliver(uuid, uuid, timestamptz, int)', 'feed_place(uuid)', 'forget_deliveries(int)', 'delivery_counts()'] loop
    execute format('revoke all on function %s from public', f);
  end loop;
end
$$;
grant execute on function redeliver(uuid, uuid, timestamptz, int), feed_place(uuid), delivery_counts() to samaki_runtime;
grant execute on function claim_deliveries(timestamptz, int, int, interval),
  settle_deliveries(timestamptz, uuid[], uuid[], boolean[], int[], text[], int[]), forget_deliveries(int) to samaki_worker;
-- The owner of the tables makes the triggers.
grant execute on function on_referral_event_placed(), on_referral_event(), on_webhook_keeper_changed() to samaki_owner;

reset role;

create or replace trigger referral_event_placed before insert on events
  for each row when (new.referral_id is not null and current_user <> 'samaki_loader')
  execute function on_referral_event_placed();
create or replace trigger referral_event after insert on events
  for each row when (new.referral_id is not null and current_user <> 'samaki_loader') execute function on_referral_event();
create or replace trigger webhook_keeper_changed after update of active, role, organisation_id on users
  for each row when ((old.active, old.role, old.organisation_id) is distinct from (new.active, new.role, new.organisation_id))
  execute function on_webhook_keeper_changed();

do $$
declare
  p record;
  own constant text := '((select app_role()) = ''partner'' and organisation_id = (select app_organisation_id()))';
  -- A system looks only: what it holds may be stolen without anybody there to prove who asks.
  by_person constant text := '(exists (select from users u where u.id = (select app_user_id()) and not u.system))';
begin
  for p in select policyname, tablename from pg_policies
            where schemaname = 'public'
              and (tablename in ('webhooks', 'webhook_deliveries') or (tablename = 'events' and policyname = 'see_referred')) loop
    execute format('drop policy %I on %I', p.policyname, p.tablename);  -- this file may run alone
  end loop;
  execute 'alter table webhooks enable row level security';
  execute 'alter table webhooks force row level security';
  execute 'alter table webhook_deliveries enable row level security';
  execute 'alter table webhook_deliveries force row level security';
  execute 'create policy definer on webhooks to samaki_definer using (true) with check (true)';
  execute 'create policy definer on webhook_deliveries to samaki_definer using (true) with check (true)';

  execute 'create policy see on webhooks for select to samaki_runtime using ' || own;
  execute 'create policy add on webhooks for insert to samaki_runtime with check (created_by = app_user_id()
             and keeper_id = app_user_id() and ' || own || ' and ' || by_person || ')';
  -- Who changes it answers for it.
  execute 'create policy change on webhooks for update to samaki_runtime using (' || own || ' and ' || by_person || ')
             with check (keeper_id = app_user_id() and ' || own || ')';
  execute 'create policy remove on webhooks for delete to samaki_runtime using (' || own || ' and ' || by_person || ')';

  -- Deliveries and events of the referrals that a partner knows of: the policy on referrals decides.
  execute 'create policy see on webhook_deliveries for select to samaki_runtime using (' || own || '
             and exists (select 1 from referrals r where r.id = webhook_deliveries.referral_id))';
  execute 'create policy see_referred on events for select to samaki_runtime using (referral_id is not null
             and (select app_role()) = ''partner''
             and (select app_organisation_id()) in (partner_id, organisation_id)
             and exists (select 1 from referrals r where r.id = events.referral_id))';
end
$$;

grant select, insert, delete on webhooks to samaki_runtime;
grant update (url, events, active, stopped_because, keeper_id, sealed, previous_sealed, previous_until, version, updated_at)
  on webhooks to samaki_runtime;
grant select on webhook_deliveries to samaki_runtime;
grant select on events to samaki_definer;
grant select, update on webhooks to samaki_definer;
grant select, insert, update, delete on webhook_deliveries to samaki_definer;
