-- The first statement of every request: is this session alive, whose is it, and who are its principals?
-- One round trip; no row means 401. Logout, deactivation and change of role act here, at once. A session whose account
-- owes a factor is nobody to the row policies: it has a row here, so that the factor can be given, and no settings. So
-- is a system that no person of its organisation has confirmed: whoever made it reaches nothing by it.
set local role samaki_definer;  -- who owns what follows

drop function if exists begin_request(uuid, timestamptz);
drop function if exists begin_request(uuid, timestamptz, boolean);  -- which may have answered fewer columns

create or replace function begin_request(session_id uuid, clock timestamptz default null, mfa_required boolean default false)
  returns table (user_id uuid, username text, display_name text, role text, organisation_id uuid, communes text[],
                 language text, at timestamptz, proved_at timestamptz, mfa_enrolled boolean, password_due boolean,
                 mfa_due boolean, scopes text[], confirmation_due boolean)
  language plpgsql volatile security definer
  set search_path = pg_catalog, public, pg_temp
as $$
declare
  principals uuid[];
begin
  perform set_config('samaki.now', coalesce(clock::text, ''), true);
  select u.id, u.username::text, u.display_name::text, u.role::text, u.organisation_id, u.communes::text[],
         u.language::text, app_now(), coalesce(s.proved_at, s.created_at), t.user_id is not null,
         coalesce(c.must_change, false),
         t.user_id is null and (coalesce(c.mfa_due, false)
           or (mfa_required and not u.system and u.role in ('supervisor', 'admin', 'auditor', 'partner'))),
         u.scopes::text[], u.system and u.confirmed_at is null,
         array[u.principal]
           || case when u.role in ('caseworker', 'supervisor') and o.id is not null then array[o.staff_principal] else '{}' end
           || case when u.role = 'supervisor' and o.id is not null then array[o.supervisors_principal] else '{}' end
    into user_id, username, display_name, role, organisation_id, communes, language, at, proved_at, mfa_enrolled,
         password_due, mfa_due, scopes, confirmation_due, principals
    from sessions s
    join users u on u.id = s.user_id
    left join organisations o on o.id = u.organisation_id
    left join user_credentials c on c.user_id = u.id
    left join user_totp t on t.user_id = u.id and t.confirmed_at is not null
   where s.id = session_id
     and s.ended_at is null
     and s.expires_at > app_now()
     and u.active
     and (u.organisation_id is null or o.active);
  if not found or password_due or mfa_due or confirmation_due then
    -- What a SET without LOCAL may have left on this connection must not speak for nobody.
    perform set_config('samaki.user_id', '', true), set_config('samaki.role', '', true),
            set_config('samaki.organisation_id', '', true), set_config('samaki.principals', '', true),
            set_config('samaki.owing', coalesce(user_id::text, ''), true);  -- for the trail alone
    if user_id is not null then
      return next;
    end if;
    return;
  end if;
  perform set_config('samaki.user_id', user_id::text, true),
          set_config('samaki.role', role, true),
          set_config('samaki.organisation_id', coalesce(organisation_id::text, ''), true),
          set_config('samaki.principals', principals::text, true),
          set_config('samaki.owing', '', true);
  return next;
end
$$;
revoke all on function begin_request(uuid, timestamptz, boolean) from public;
grant execute on function begin_request(uuid, timestamptz, boolean) to samaki_runtime;

reset role;
