// What relay-compiler reads: a list that pages, and a task that is fetched again by its id alone.
import { graphql } from 'relay-runtime'

export const query = graphql`
  query documentsQuery($count: Int!) {
    viewer {
      id
      ...documents_user @arguments(count: $count)
    }
  }
`

export const user = graphql`
  fragment documents_user on User
  @argumentDefinitions(count: { type: "Int", defaultValue: 10 }, cursor: { type: "String" })
  @refetchable(queryName: "documentsTasksQuery") {
    tasks(first: $count, after: $cursor) @connection(key: "documents_tasks") {
      edges {
        node {
          id
          ...documents_task
        }
      }
    }
  }
`

export const task = graphql`
  fragment documents_task on Task @refetchable(queryName: "documentsTaskQuery") {
    title
    version
    parent {
      title
    }
  }
`
