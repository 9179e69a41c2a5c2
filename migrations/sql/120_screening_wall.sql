-- Who sees and writes the tables of screening; after 100 and 110, which take away what was there before.

do $$
declare
  t text;
begin
  foreach t in array array['user_private', 'user_tokens', 'screening_tokens', 'screening_matches'] loop
    execute format('alter table %I enable row level security', t);
    execute format('alter table %I force row level security', t);
    execute format('drop policy if exists definer on %I', t);
    execute format('create policy definer on %I to samaki_definer using (true) with check (true)', t);
  end loop;
end
$$;

-- user_private: sealed with a key that no database role has; the own row, and every row for who writes accounts. Tokens
-- and matches: nothing at all for the runtime role; 057 says who knows of them.
drop policy if exists see on user_private;
create policy see on user_private for select to samaki_runtime using (user_id = app_user_id() or app_role() = 'admin');
drop policy if exists add on user_private;
create policy add on user_private for insert to samaki_runtime with check (app_role() = 'admin');
drop policy if exists change on user_private;
create policy change on user_private for update to samaki_runtime using (app_role() = 'admin');

grant select, insert, update, delete on user_tokens, screening_tokens to samaki_definer;
grant select, insert, update on screening_matches to samaki_definer;
grant select, update on user_private to samaki_definer;
grant select on incidents to samaki_definer;
grant select, insert, update on user_private to samaki_runtime;
