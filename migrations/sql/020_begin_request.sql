-- The first statement of every request: is this session alive, whose is it, and who are its principals?
-- One round trip; no row means 401. Logout, deactivation and change of role act here, at once.
set local role samaki_definer;  -- who owns what follows

create or replace function begin_request(session_id uuid, clock timestamptz default null)
  returns table (user_id uuid, username text, display_name text, role text, organisation_id uuid, communes text[],
                 language text, at timestamptz)
  language plpgsql volatile security definer
  set search_path = pg_catalog, public, pg_temp
as $$
declare
  principals uuid[];
begin
  perform set_config('samaki.now', coalesce(clock::text, ''), true);
  select u.id, u.username::text, u.display_name::text, u.role::text, u.organisation_id, u.communes::text[],
         u.language::text, app_now(),
         array[u.principal]
           || case when u.role in ('caseworker', 'supervisor') and o.id is not null then array[o.staff_principal] else '{}' end
           || case when u.role = 'supervisor' and o.id is not null then array[o.supervisors_principal] else '{}' end
    into user_id, username, display_name, role, organisation_id, communes, language, at, principals
    from sessions s
    join users u on u.id = s.user_id
    left join organisations o on o.id = u.organisation_id
   where s.id = session_id
     and s.ended_at is null
     and s.expires_at > app_now()
     and u.active
     and (u.organisation_id is null or o.active);
  if not found then
    -- What a SET without LOCAL may have left on this connection must not speak for nobody.
    perform set_config('samaki.user_id', '', true), set_config('samaki.role', '', true),
            set_config('samaki.organisation_id', '', true), set_config('samaki.principals', '', true);
    return;
  end if;
  perform set_config('samaki.user_id', user_id::text, true),
          set_config('samaki.role', role, true),
          set_config('samaki.organisation_id', coalesce(organisation_id::text, ''), true),
          set_config('samaki.principals', principals::text, true);
  return next;
end
$$;
revoke all on function begin_request(uuid, timestamptz) from public;
grant execute on function begin_request(uuid, timestamptz) to samaki_runtime;

reset role;
